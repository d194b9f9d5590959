"""Spans, metrics and names of messages, as a program with an OpenTelemetry SDK sees them."""

import json
import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.errors import ServiceUnavailableError
from shared.persistent.aio import PersistentSender
from shared.service_protocol.messages import EventKind, Message, ServiceEvent
from shared.service_protocol.requests import CheckUserExistenceWithAck
from shared.service_protocol.sends import MultiConnectionData, MultiUserData, UserData
from tests.shared.persistent.conftest import KEY
from tests.shared.persistent.stub_service import StubService, acknowledged

ROOT = Path(__file__).parents[3]
DURATION = "signalr.client.server_connection.operation.duration"


def full_with_an_ack(message: Message) -> Message | tuple[Message, ...] | None:
    ack = acknowledged(message)
    if ack is None or not isinstance(message, CheckUserExistenceWithAck):
        return ack
    full = ServiceEvent(object_type=4, id="line", kind=EventKind.BUFFER_FULL, message="full")
    return full, ack


def recorded(kind: str, url: str) -> dict[str, list[dict[str, Any]]]:
    command = [sys.executable, "-m", "tests.shared.persistent.telemetry_app", kind, url]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, list[dict[str, Any]]] = json.loads(ran.stdout)
    return found


@pytest.mark.parametrize("kind", ["blocking", "awaitable"])
def test_what_is_recorded(kind: str, threaded_service: StubService) -> None:
    threaded_service.answer = full_with_an_ack
    threaded_service.refusals = [503]
    found = recorded(kind, threaded_service.url)

    spans = [each for each in found["spans"] if each["name"] != "caller"]
    assert [(each["name"], each["status"]) for each in spans] == [
        ("SignalR send_to_users", "UNSET"),
        ("SignalR send_to_user", "UNSET"),
        ("SignalR send_to_connection", "UNSET"),
        ("SignalR remove_connection_from_all_groups", "UNSET"),
        ("SignalR user_exists", "UNSET"),
        ("SignalR send_to_all", "ERROR"),
    ]
    assert {(each["parent"], each["kind"]) for each in spans} == {("caller", "CLIENT")}
    endpoint = threaded_service.url.removeprefix("http://")
    for each in spans:
        assert each["attributes"]["signalr.hub"] == "chat"
        assert each["attributes"]["signalr.endpoint"] == endpoint
    assert spans[-1]["attributes"]["error.type"] == "ServiceUnavailableError"

    # Each send has the name that the service's messaging logs have.
    messages: list[UserData | MultiUserData | MultiConnectionData] = [
        *threaded_service.of(UserData),
        *threaded_service.of(MultiUserData),
        *threaded_service.of(MultiConnectionData),
    ]
    sent = {str(each.tracing_id) for each in messages}
    named = {each["attributes"].get("signalr.message_tracing_id") for each in spans[:-1]}
    assert len(sent) == 3
    assert named == sent | {None}

    def measured(name: str) -> dict[tuple[object, ...], int]:
        return {
            tuple(value for key, value in each["attributes"].items() if key in keys): each["count"]
            or each["value"]
            for each in found["points"]
            if each["name"] == name
        }

    keys = {"signalr.operation", "error.type"}
    assert measured(DURATION) == {
        ("send_to_users",): 1,
        ("send_to_user",): 1,
        ("send_to_connection",): 1,
        ("remove_connection_from_all_groups",): 1,
        ("user_exists",): 1,
        ("send_to_all", "ServiceUnavailableError"): 1,
    }
    keys = {"outcome"}
    assert measured("signalr.client.server_connection.attempts") == {
        ("ServiceUnavailableError",): 1,
        ("success",): 1,
    }
    assert measured("signalr.client.server_connection.count") == {(): 1}
    assert measured("signalr.client.server_connection.throttled") == {(): 1}

    documented = {
        name: set(re.findall(r"`([a-z_.]+)`", attributes))
        for name, attributes in re.findall(
            r"^\| `(signalr\.client\.server_connection\.[a-z_.]+)` .*\|(.*)\|$",
            (ROOT / "docs/telemetry.md").read_text(),
            re.MULTILINE,
        )
    }
    assert documented.keys() == {each["name"] for each in found["points"]}
    for each in found["points"]:
        assert each["attributes"].keys() <= documented[each["name"]]


async def test_without_an_sdk_logs_and_errors_have_the_names(
    service: StubService, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        async with PersistentSender(
            service.url, KEY, message_tracing=True, send_timeout=0.3
        ) as sender:
            await sender.send_to_user("chat", "ann", "news")
            (message,) = await service.heard(UserData)
            service.refusals = [503] * 9
            with pytest.raises(ServiceUnavailableError) as failed:
                await sender.send_to_all("news", "news")
    name = str(message.tracing_id)
    assert f"Message {name} (send_to_user in hub chat) was written" in caplog.text
    (record,) = [each for each in caplog.records if name in each.getMessage()]
    assert vars(record)["signalr.message_tracing_id"] == name
    assert failed.value.tracing_id is not None


async def test_without_tracing_messages_have_no_names(
    sender: PersistentSender, service: StubService
) -> None:
    await sender.send_to_user("chat", "ann", "news")
    (message,) = await service.heard(UserData)
    assert message.tracing_id is None
