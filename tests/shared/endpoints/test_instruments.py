"""Spans and metrics, as an app with an OpenTelemetry SDK sees them."""

import json
import re
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from tests.scripted_service import HANG_UP, Received, Reply, scripted_service

ROOT = Path(__file__).parents[3]
KEY = json.dumps({"AccessKey": "s" * 44, "KeyId": "key-1"}).encode()


def answer(request: Received) -> Reply:
    if "/users/busy/" in request.path:
        return Reply(503)
    if "/groups/lost/" in request.path:
        return HANG_UP
    if request.path.partition("?")[0].endswith("/connections/:refreshAuth"):
        if b"secret-of-nobody" in request.body:
            return Reply(404, {"x-ms-error-code": "ConnectionNotFound"})
        return Reply(200, body=b'{"claims": []}')
    if request.method == "HEAD" and "/users/" in request.path:
        return Reply(404, {"x-ms-error-code": "Warning.User.NotExisted"})
    return Reply(200, body=KEY) if request.method == "GET" else Reply(202)


def keyless(request: Received) -> Reply:
    return Reply(403) if request.method == "GET" else answer(request)


def python(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def recorded(kind: str, *urls: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = json.loads(
        python("-m", "tests.shared.endpoints.telemetry_app", kind, *urls)
    )
    return found


@pytest.mark.parametrize("endpoints", [1, 2])
@pytest.mark.parametrize("kind", ["blocking", "awaitable"])
def test_what_is_recorded(kind: str, endpoints: int) -> None:
    with ExitStack() as stack:
        services = [stack.enter_context(scripted_service(answer)) for _ in range(endpoints)]
        found = recorded(kind, *(service.url for service in services))

    requests = [each for each in found["spans"] if each["name"] != "caller"]
    assert all(each["kind"] == "CLIENT" for each in requests)
    asked = {
        each["name"]: (
            each["parent"],
            each["status"],
            each["attributes"].get("http.response.status_code"),
        )
        for each in requests
    }
    assert asked == {
        # On the rotation's own thread, for all callers.
        "SignalR access_key": (None, "UNSET", 200),
        "SignalR send_to_all": ("caller", "UNSET", 202),
        "SignalR send_to_user": ("caller", "ERROR", 503),
        "SignalR send_to_group": ("caller", "ERROR", None),
        "SignalR user_exists": ("caller", "UNSET", 404),
        "SignalR refresh_connection_authentication": ("caller", "UNSET", ANY),
    }
    counted = Counter(each["name"] for each in requests)
    assert counted.pop("SignalR access_key") in range(1, endpoints + 1)
    assert counted.pop("SignalR refresh_connection_authentication") == 2 * endpoints
    assert set(counted.values()) == {endpoints}
    assert "secret-of" not in json.dumps(found)
    for each in requests:
        assert each["attributes"]["signalr.operation"] == each["name"].removeprefix("SignalR ")
        assert each["attributes"].get("signalr.hub") == (
            None if each["name"] == "SignalR access_key" else "chat"
        )

    # No names of users, groups and connections.
    assert {each["attributes"]["url.full"].partition("/api/")[2] for each in requests} == {
        "v1/auth/accessKey",
        "hubs/chat/:send",
        "hubs/chat/users/{user}/:send",
        "hubs/chat/groups/{group}/:send",
        "hubs/chat/users/{user}",
        "hubs/chat/connections/:refreshAuth",
    }

    # Each request names its own span, and the span the id that the service knows the request by.
    # So does the name in the service's messaging logs, which the fetching of a key has not.
    received = [
        (
            request.headers["traceparent"],
            request.headers["x-ms-client-request-id"],
            request.headers.get("X-ASRS-Message-Tracing-Id"),
            f"endpoint-{number}",
        )
        for number, service in enumerate(services)
        for request in service.received
        if "/api/health" not in request.path
    ]
    assert {
        (
            each["traceparent"],
            each["attributes"]["signalr.request_id"],
            each["attributes"].get("signalr.message_tracing_id"),
            each["attributes"]["signalr.endpoint"],
        )
        for each in requests
    } <= set(received), received

    traced = [each for each in requests if "signalr.message_tracing_id" in each["attributes"]]
    assert {each["name"] for each in requests if each not in traced} == {"SignalR access_key"}

    names = {f"endpoint-{number}" for number in range(endpoints)}
    points = [
        each for each in found["points"] if each["attributes"].get("signalr.endpoint") in names
    ]
    negotiated = [each["value"] for each in points if each["name"].endswith(".negotiations")]
    assert sum(negotiated) == 2
    renewed = Counter[str]()
    for each in found["points"]:
        if each["name"].endswith(".authentication.refreshes"):
            renewed[each["attributes"]["outcome"]] += each["value"]
    # Those of both clients, of which the earlier one has a single endpoint. Two endpoints that both
    # know the connection are an error.
    both_know = {1: "success", 2: "UnexpectedResponseError"}[endpoints]
    assert renewed == Counter(["success", both_know, *2 * ["ConnectionNotFoundError"]])
    refreshes = [each for each in points if each["name"].endswith(".access_key.refreshes")]
    assert {each["attributes"]["outcome"] for each in refreshes} == {"success"}
    ages = [each for each in found["points"] if each["name"].endswith(".access_key.age")]
    # Of the clients in use, not of those before them.
    assert {each["attributes"]["signalr.endpoint"] for each in ages} <= names
    assert all(0 <= each["value"] < 60 for each in ages)
    assert ages

    durations = Counter[tuple[str, str, int | None, str | None]]()
    for each in found["points"]:
        said = each["attributes"]
        if each["name"] == "signalr.client.request.duration":
            outcome = said.get("http.response.status_code"), said.get("error.type")
            durations[said["signalr.operation"], said["signalr.endpoint"], *outcome] += each[
                "count"
            ]
    for name in (*names, "earlier"):
        assert durations["send_to_all", name, 202, None] == 1
        assert durations["send_to_group", name, None, "no_answer"] == 1
        assert durations["send_to_user", name, 503, "503"] == 1
        assert durations["user_exists", name, 404, None] == 1

    page = (ROOT / "docs/telemetry.md").read_text()
    documented = dict(
        re.findall(r"^\| `(signalr\.client\.[a-z_.]+)` .*\|(.*)\|$", page, re.MULTILINE)
    )
    by_requests = {name for name in documented if ".server_connection." not in name}
    assert by_requests == {each["name"] for each in found["points"]}
    for each in found["points"]:
        assert each["attributes"].keys() <= set(
            re.findall(r"`([a-z_.]+)`", documented[each["name"]])
        )
    span_attributes = set(re.findall(r"`([a-z_.]+)`", page))
    assert {name for each in requests for name in each["attributes"]} <= span_attributes


def test_a_refused_key_is_recorded() -> None:
    with scripted_service(keyless) as service:
        points = recorded("blocking", service.url)["points"]
    named = {each["name"].removeprefix("signalr.client."): each for each in points}
    assert named["access_key.refreshes"]["attributes"]["outcome"] == "PermissionDeniedError"
    assert "access_key.age" not in named
    assert "negotiations" not in named


def test_without_an_sdk_nothing_of_opentelemetry_is_imported() -> None:
    with scripted_service(answer) as service:
        said = python(
            "-c",
            "import sys, types, shared, shared.aio\n"
            "token = types.SimpleNamespace(token='e30.e30.sig', expires_on=2**40)\n"
            "credential = types.SimpleNamespace(get_token=lambda *_, **__: token)\n"
            f"with shared.SignalRServiceClient({service.url!r}, credential) as client:\n"
            "    print(client.get_client_access_token('chat').url)\n"
            "print([name for name in sys.modules if name.startswith('opentelemetry')])\n",
        )
    assert said.splitlines() == [f"{service.url}/client/?hub=chat", "[]"]
