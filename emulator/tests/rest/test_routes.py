from typing import Any

import pytest
from signalr_emulator import Clock, Config
from signalr_emulator.access_control.roles import APP_SERVER, CONTRIBUTOR, REST_API_OWNER, Role
from signalr_emulator.configuration.settings import SYSTEM_ASSIGNED
from signalr_emulator.documents.json_text import Json
from signalr_emulator.operations.table import OPERATIONS, Operation

from emulator.tests.conftest import StartWire
from emulator.tests.wire import API_VERSION, Wire, said

BODY: Json = {"target": "say", "arguments": []}


@pytest.mark.parametrize(
    "path", ["/api/v1/auth/accessKey", f"/api/auth/accessKey?api-version={API_VERSION}"]
)
async def test_every_request_gives_another_access_key(wire: Wire, path: str) -> None:
    first, second = [await wire.rest("GET", path) for _ in range(2)]
    assert first.status == second.status == 200
    assert set(first.json) == {"AccessKey", "KeyId"}
    assert first.json["KeyId"] != second.json["KeyId"]
    assert len(first.json["AccessKey"]) >= 43


async def test_entra_token_with_slash_at_the_audience(wire: Wire) -> None:
    answer = await wire.identity("api-version=2019-08-01&resource=https://signalr.azure.com/")
    token = answer.json["access_token"]
    assert (await wire.rest("GET", "/api/v1/auth/accessKey", token=token)).status == 200


async def test_health_needs_no_token(wire: Wire) -> None:
    answer = await wire.request("HEAD", f"{wire.emulator.service_url}/api/health")
    assert answer.status == 200


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.method} {o.path}")
async def test_every_operation_needs_a_valid_token(wire: Wire, operation: Operation) -> None:
    url = wire.emulator.service_url + operation.path.format(
        hub="h", user="u", group="g", connection="c", stream="s"
    )
    other = (await wire.identity("api-version=2019-08-01&resource=https://vault.azure.net")).json
    for headers in (
        {},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": f"Bearer {await wire.client_token()}"},
        {"Authorization": f"Bearer {other['access_token']}"},
    ):
        answer = await wire.request(operation.method, url, headers=headers)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
        if operation.method == "HEAD":
            assert answer.body == b""
        else:
            assert set(answer.json) == {"code", "message"}


async def test_entra_token_expires_on_the_emulators_clock(wire: Wire, clock: Clock) -> None:
    token = await wire.entra_token()
    clock.advance(24 * 3600)
    assert (await wire.rest("GET", "/api/v1/auth/accessKey", token=token)).status == 401


@pytest.mark.parametrize(
    ("role", "key_status", "send_status"),
    [(APP_SERVER, 200, 403), (REST_API_OWNER, 403, 202), (CONTRIBUTOR, 403, 403), (None, 403, 403)],
    ids=lambda value: value.name if isinstance(value, Role) else str(value),
)
async def test_roles(
    start: StartWire, role: Role | None, key_status: int, send_status: int
) -> None:
    async with start(Config(service_port=0, control_port=0, role=role)) as wire:
        key = await wire.rest("GET", "/api/v1/auth/accessKey")
        send = await wire.send("chat/")
    assert (key.status, send.status) == (key_status, send_status)


async def test_forbidden_says_what_is_missing(start: StartWire) -> None:
    async with start(Config(service_port=0, control_port=0, role=None)) as wire:
        answer = await wire.rest("GET", "/api/v1/auth/accessKey")
    assert answer.headers["x-ms-error-code"] == "Forbidden"
    assert answer.json == {
        "code": "Forbidden",
        "message": f"The identity {SYSTEM_ASSIGNED.principal_id} lacks the data action"
        " Microsoft.SignalRService/SignalR/auth/accessKey/action at"
        f" {Config().resource_id}. Please check your role assignments.",
    }


async def test_sends_reach_their_recipients_only(wire: Wire) -> None:
    ann_1, ann_2 = await wire.connect(user="ann"), await wire.connect(user="ann")
    ben = await wire.connect(user="ben")
    news = await wire.connect(hub="news", user="ann")
    group = f"/api/hubs/chat/groups/g%2F1/connections/{ben.connection_id}"
    assert (await wire.rest("PUT", f"{group}?api-version={API_VERSION}")).status == 200

    answers = [
        await wire.send("Chat/", "everyone"),
        await wire.send("chat/users/ann/", "user"),
        await wire.send("chat/groups/g%2F1/", "group"),
        await wire.send(f"chat/connections/{ann_2.connection_id}/", "connection"),
        await wire.send("chat/", "excluded", query=f"&excluded={ann_1.connection_id}&excluded=x"),
        await wire.send("chat/groups/g%2F1/", "no", query=f"&excluded={ben.connection_id}"),
        await wire.send("chat/users/nobody/", "no"),
        await wire.send("chat/connections/nobody/", "no"),
        await wire.send("chat/groups/none/", "no"),
        await wire.send("chat/", "end"),
        await wire.send("news/", "end"),
    ]
    assert {(answer.status, answer.body) for answer in answers} == {(202, b"")}

    for socket, expected in (
        (ann_1, ["everyone", "user", "end"]),
        (ann_2, ["everyone", "user", "connection", "excluded", "end"]),
        (ben, ["everyone", "group", "excluded", "end"]),
        (news, ["end"]),
    ):
        assert [await socket.text() for _ in expected] == [said(word) for word in expected]


async def test_user_names_with_special_characters(wire: Wire) -> None:
    socket = await wire.connect(user="ann/b %é+")
    await wire.send("chat/users/ann%2Fb%20%25%C3%A9+/", "hi")
    assert await socket.text() == said("hi")


async def test_group_that_was_left_is_not_reached(wire: Wire) -> None:
    socket = await wire.connect()
    path = f"/api/hubs/chat/groups/g/connections/{socket.connection_id}?api-version={API_VERSION}"
    assert (await wire.rest("PUT", path)).status == 200
    assert (await wire.rest("DELETE", path)).status == 200
    await wire.send("chat/groups/g/", "no")
    await wire.send("chat/", "end")
    assert await socket.text() == said("end")


async def test_group_for_a_connection_that_does_not_exist(wire: Wire) -> None:
    answer = await wire.rest(
        "PUT", f"/api/hubs/chat/groups/g/connections/x?api-version={API_VERSION}"
    )
    assert answer.status == 404
    assert answer.headers["x-ms-error-code"] == "Error.Connection.NotExisted"
    assert answer.json["code"] == "Error.Connection.NotExisted"


async def test_application_is_part_of_the_hub(wire: Wire) -> None:
    socket = await wire.connect(hub="app_chat")
    await wire.send("Chat/", "hi", query="&application=App")
    assert await socket.text() == said("hi")


async def test_arguments_arrive_as_they_were_sent(wire: Wire) -> None:
    socket = await wire.connect()
    arguments: list[Any] = [None, True, 1, 1.5, "é\u2028\x1e", [], {"A": {"b": [1]}}, "x" * 70_000]
    await wire.send("chat/", *arguments)
    assert await socket.text() == said(*arguments)


async def test_order_is_kept(wire: Wire) -> None:
    socket = await wire.connect()
    for number in range(50):
        await wire.send("chat/", number)
    assert [await socket.text() for _ in range(50)] == [said(number) for number in range(50)]


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("chat/:send", "api-version"),
        ("chat/:send?api-version=2020-01-01", "api-version"),
        ("1chat/:send?api-version=2022-06-01", "hub"),
        ("chat/:send?api-version=2022-06-01&application=1", "application"),
        ("chat/groups/%20/:send?api-version=2022-06-01", "group"),
    ],
)
async def test_wrong_parameters(wire: Wire, path: str, target: str) -> None:
    answer = await wire.rest("POST", f"/api/hubs/{path}", body=BODY)
    assert answer.status == 400
    assert answer.headers["x-ms-error-code"] == "Error.Request.Invalid"
    assert answer.json["target"] == target


@pytest.mark.parametrize(
    "data", [b"", b"{", b'{"arguments":[]}', b'{"target":"t","arguments":[NaN]}', b"[" * 99_999]
)
async def test_wrong_payloads(wire: Wire, data: bytes) -> None:
    path = f"/api/hubs/chat/:send?api-version={API_VERSION}"
    answer = await wire.rest("POST", path, data=data)
    assert answer.status == 400
    assert answer.json["code"] == "Error.Request.Invalid"


async def test_content_type_that_is_not_understood(wire: Wire) -> None:
    path = f"/api/hubs/chat/:send?api-version={API_VERSION}"
    answer = await wire.rest("POST", path, data=b"<a/>", content_type="application/xml")
    assert answer.status == 415


async def test_body_of_1_mb_at_most(wire: Wire) -> None:
    path = f"/api/hubs/chat/:send?api-version={API_VERSION}"
    frame = b'{"target":"t","arguments":["%s"]}'
    fits = frame % (b"x" * (1024 * 1024 - len(frame) + 2))
    assert len(fits) == 1024 * 1024
    assert (await wire.rest("POST", path, data=fits)).status == 202
    answer = await wire.rest("POST", path, data=fits + b" ")
    assert answer.status == 413
    assert answer.json["code"] == "PayloadTooLarge"
