"""What a token of the emulator opens, as in Azure: its own door, for its own time, and no other."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import jwt
import pytest
import requests
from signalr_emulator.testing import RunningEmulator, running_emulator

PATIENCE = 10.0
SIGNALR = "https://signalr.azure.com"
KEY = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH"


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    """An emulator whose app may sign client tokens and nothing else."""
    with running_emulator("--role", "SignalR App Server") as running:
        yield running


def entra_token(emulator: RunningEmulator, resource: str = SIGNALR) -> str:
    answer = requests.get(
        emulator.app_settings["IDENTITY_ENDPOINT"],
        params={"api-version": "2019-08-01", "resource": resource},
        headers={"X-IDENTITY-HEADER": emulator.app_settings["IDENTITY_HEADER"]},
        timeout=PATIENCE,
    )
    token: str = answer.json()["access_token"]
    return token


def access_key(emulator: RunningEmulator) -> dict[str, str]:
    answer = rest(emulator, "GET", "/api/v1/auth/accessKey", entra_token(emulator))
    assert answer.status_code == 200
    key: dict[str, str] = answer.json()
    return key


def rest(
    emulator: RunningEmulator, method: str, path: str, token: str, body: object = None
) -> requests.Response:
    return requests.request(
        method,
        f"{emulator.service_url}{path}",
        data=None if body is None else json.dumps(body),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        timeout=PATIENCE,
    )


def send(emulator: RunningEmulator, token: str) -> int:
    path = "/api/hubs/chat/:send?api-version=2022-06-01"
    return rest(emulator, "POST", path, token, {"target": "t"}).status_code


def admitted(emulator: RunningEmulator, token: str, query: str = "hub=chat") -> int:
    path = f"/client/negotiate?{query}&negotiateVersion=1"
    return rest(emulator, "POST", path, token).status_code


def signed(emulator: RunningEmulator, key: dict[str, str], **changed: Any) -> str:  # noqa: ANN401  JSON
    """Sign a client token of the hub `chat` for an hour of the emulator's clock."""
    now = emulator.advance_clock(0)
    host = emulator.service_url.rpartition(":")[0]
    claims = {"aud": f"{host}/client/?hub=chat", "nbf": now, "exp": now + 3600} | changed
    return jwt.encode(claims, key["AccessKey"], "HS256", headers={"kid": key["KeyId"]})


def test_each_token_opens_its_own_door_only(emulator: RunningEmulator) -> None:
    key = access_key(emulator)
    client_token = signed(emulator, key)
    assert admitted(emulator, client_token) == 200
    assert send(emulator, client_token) == 401
    assert admitted(emulator, client_token, "hub=news") == 401
    # A token of the REST API, signed with the same key, is good for that and not for clients.
    url = f"{emulator.service_url.rpartition(':')[0]}/api/hubs/chat/:send"
    rest_token = signed(emulator, key, aud=url)
    assert send(emulator, rest_token) == 202
    assert admitted(emulator, rest_token) == 401
    assert send(emulator, signed(emulator, key, aud=url, exp=0)) == 401
    assert send(emulator, signed(emulator, key, aud=f"{url}/x")) == 401
    assert admitted(emulator, entra_token(emulator)) == 401


def test_a_role_does_not_grow(emulator: RunningEmulator) -> None:
    token = entra_token(emulator)
    assert send(emulator, token) == 403
    for method, path in (
        ("POST", "/api/hubs/chat/:generateToken?api-version=2022-11-01"),
        ("POST", "/api/hubs/chat/users/u/:send?api-version=2022-06-01"),
        ("PUT", "/api/hubs/chat/users/u/groups/g?api-version=2022-06-01"),
    ):
        assert rest(emulator, method, path, token).status_code == 403, path
    commands = [{"type": "CloseConnection"}, {"type": "JoinGroup", "group": "g"}]
    path = "/api/hubs/chat/:execute?api-version=2023-07-01"
    assert rest(emulator, "POST", path, token, commands).status_code == 403
    assert send(emulator, token) == 403


def test_nobody_gives_roles_by_a_token_that_is_not_for_resource_manager(
    emulator: RunningEmulator,
) -> None:
    owner = "7e4f1700-ea5a-4f59-8f37-079cfe29dce3"
    assignments = emulator.state()["roleAssignments"]
    assignment = assignments[0]
    authorization = f"{assignment['scope']}/providers/Microsoft.Authorization"
    url = f"{emulator.control_url}{authorization}/roleAssignments/{uuid4()}"
    body = {
        "properties": {
            "roleDefinitionId": f"{authorization}/roleDefinitions/{owner}",
            "principalId": assignment["principalId"],
        }
    }
    for token in (entra_token(emulator), signed(emulator, access_key(emulator)), "x.y.z"):
        answer = requests.put(
            f"{url}?api-version=2022-04-01",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=PATIENCE,
        )
        assert answer.status_code == 401
    assert emulator.state()["roleAssignments"] == assignments
    assert send(emulator, entra_token(emulator)) == 403


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": 0},
        {"exp": None},
        {"exp": "9999999999"},
        {"nbf": 99_999_999_999, "exp": 99_999_999_999 + 1},
        {"aud": "http://evil.example/client/?hub=chat"},
        {"aud": None},
        {"aud": []},
    ],
    ids=str,
)
def test_a_client_token_with_a_wrong_claim_opens_nothing(
    emulator: RunningEmulator, changed: dict[str, Any]
) -> None:
    assert admitted(emulator, signed(emulator, access_key(emulator), **changed)) == 401


def test_a_token_under_a_key_that_it_does_not_have_opens_nothing(
    emulator: RunningEmulator,
) -> None:
    key = access_key(emulator)
    for wrong in (
        {**key, "AccessKey": "x" * 64},
        {**key, "KeyId": "0" * 32},
        {**key, "KeyId": "../" + key["KeyId"]},
        {**key, "AccessKey": key["AccessKey"] + " "},
    ):
        assert admitted(emulator, signed(emulator, wrong)) == 401, wrong["KeyId"]
    for algorithm in ("none", "RS256", "ES256"):
        head = jwt.utils.base64url_encode(
            f'{{"alg":"{algorithm}","kid":"{key["KeyId"]}"}}'.encode()
        ).decode()
        _, payload, signature = signed(emulator, key).split(".")
        assert admitted(emulator, f"{head}.{payload}.{signature}") == 401
        assert send(emulator, f"{head}.{payload}.{signature}") == 401


def test_a_stolen_key_is_worthless_after_its_time(emulator: RunningEmulator) -> None:
    stolen = access_key(emulator)
    assert admitted(emulator, signed(emulator, stolen)) == 200
    emulator.advance_clock(90 * 60 + 1)
    assert admitted(emulator, signed(emulator, stolen, exp=emulator.advance_clock(0) + 9999)) == 401


def test_without_local_authentication_no_permanent_key_opens_anything() -> None:
    with running_emulator("--disable-local-auth") as emulator:
        token = signed(emulator, {"AccessKey": KEY, "KeyId": ""})
        assert admitted(emulator, token) == 401
        assert send(emulator, token) == 401


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_a_web_page_does_not_reach_the_control_plane(
    emulator: RunningEmulator, origin: str
) -> None:
    before = emulator.advance_clock(0)
    for method, path in (
        ("POST", "/emulator/clock"),
        ("POST", "/emulator/faults"),
        ("GET", "/emulator/state"),
        ("GET", "/msi/token?api-version=2019-08-01&resource=https://signalr.azure.com"),
    ):
        answer = requests.request(
            method,
            f"{emulator.control_url}{path}",
            data=b'{"advance": 3600}',
            headers={
                "Origin": origin,
                "Content-Type": "text/plain",
                "X-IDENTITY-HEADER": emulator.app_settings["IDENTITY_HEADER"],
            },
            timeout=PATIENCE,
        )
        assert answer.status_code == 403, path
    assert emulator.advance_clock(0) - before < 60


WAYS: dict[str, tuple[str, str, dict[str, str]]] = {
    "negotiate": ("POST", "/client/negotiate", {}),
    "WebSocket": (
        "GET",
        "/client/",
        {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        },
    ),
    "Server-Sent Events": ("GET", "/client/", {"Accept": "text/event-stream"}),
    "long polling": ("GET", "/client/", {}),
}
"""Method, path and headers of each way in for clients."""


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example"]
)
def test_a_web_page_connects_as_nobody_with_the_key_that_all_know(
    emulator: RunningEmulator, way: str, origin: str
) -> None:
    method, path, headers = WAYS[way]
    query = {"hub": "chat", "access_token": signed(emulator, {"AccessKey": KEY, "KeyId": ""})}
    answer = requests.request(
        method,
        f"{emulator.service_url}{path}",
        params=query,
        headers=headers | {"Origin": origin},
        timeout=PATIENCE,
    )
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert emulator.state()["connections"] == {}


def test_a_name_that_is_made_to_lead_here_opens_neither_plane(emulator: RunningEmulator) -> None:
    before = emulator.advance_clock(0)
    for url, path in (
        (emulator.service_url, "/client/negotiate?hub=chat"),
        (emulator.service_url, "/api/health"),
        (emulator.control_url, "/emulator/clock"),
        (emulator.control_url, "/emulator/faults"),
        (emulator.control_url, "/"),
    ):
        # To the browser such a page and this machine are one origin.
        for headers in ({}, {"Origin": "http://evil.example"}):
            answer = requests.post(
                f"{url}{path}",
                data=b'{"advance": 3600}',
                headers={"Host": "evil.example", "Content-Type": "text/plain"} | headers,
                timeout=PATIENCE,
            )
            assert answer.status_code == 403, path
    assert emulator.advance_clock(0) - before < 60
