"""How a server connection is opened: URL, token, role, upgrade and handshake."""

from typing import Any

import aiohttp
import jwt
import pytest
from signalr_emulator import Config
from signalr_emulator.access_control.roles import (
    APP_SERVER,
    REST_API_OWNER,
    REST_API_READER,
    SERVICE_OWNER,
    Role,
)
from signalr_emulator.authentication.access_keys import EMULATOR_KEY
from signalr_emulator.configuration.service_mode import ServiceMode
from signalr_emulator.documents.json_text import Json

from emulator.tests.conftest import NOW, StartWire
from emulator.tests.server_endpoint.recorded import said_by_server
from emulator.tests.server_endpoint.stub import (
    DEFAULT,
    ON_DEMAND,
    WEAK,
    AppServer,
    app_server,
    framed,
    server_socket,
)
from emulator.tests.wire import Answer, Wire

HOST = "http://127.0.0.1"
AUDIENCE = f"{HOST}/server/?hub=chat"


def signed(audience: str = AUDIENCE, key: str = EMULATOR_KEY, **claims: Json) -> str:
    """Sign a token as the SDK does, whose `kid` is another in each process."""
    payload = {
        "nameid": "host_1", "nbf": int(NOW), "exp": int(NOW) + 3600, "iat": int(NOW),
        "iss": "azure-signalr", "aud": audience, **claims,
    }  # fmt: skip
    return jwt.encode(payload, key, "HS256", headers={"kid": "-1184236427"})


async def handshake(wire: Wire, token: str | None = None, **options: str) -> list[Any]:
    """Give the answer to the handshake of a server connection."""
    server = AppServer(await server_socket(wire, token=token, **options), "one")
    await server.send(*said_by_server("server handshake"))
    return await server.next_of_all()


async def refusal(wire: Wire, token: str, **options: str) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await server_socket(wire, token=token, **options)
    return caught.value.status


async def asked(wire: Wire, query: str, headers: dict[str, str]) -> Answer:
    """Ask for a server connection, and read why there is none."""
    headers = {"Authorization": f"Bearer {await wire.entra_token()}", **headers}
    url = f"{wire.emulator.service_url}/server/{query}"
    return await wire.request("GET", url, headers=headers)


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


async def test_a_key_signs_for_the_url_without_its_port(wire: Wire) -> None:
    assert (await handshake(wire, signed()))[:2] == [2, ""]


async def test_the_hub_has_the_prefix_of_its_application(wire: Wire) -> None:
    token = signed(f"{HOST}/server/?hub=app1_chat")
    assert (await handshake(wire, token, hub="app1_chat"))[:2] == [2, ""]
    state = wire.emulator.service.resources[0].servers
    assert [each.hub for each in state.all()] == ["app1_chat"]


@pytest.mark.parametrize(
    "token",
    [
        signed(f"{HOST}/server/?hub=news"),
        signed(f"{HOST}/client/?hub=chat"),
        signed("https://127.0.0.1/server/?hub=chat"),
        signed("http://example.com/server/?hub=chat"),
        signed(key="wrong" * 8),
        signed(exp=int(NOW)),
        signed(nbf=int(NOW) + 1),
        "e30.e30.",
    ],
)
async def test_tokens_that_prove_nothing(wire: Wire, token: str) -> None:
    assert await refusal(wire, token) == 401


async def test_an_entra_token_for_something_else(wire: Wire) -> None:
    other = await wire.identity("api-version=2019-08-01&resource=https://vault.azure.net")
    assert await refusal(wire, other.json["access_token"]) == 401


async def test_no_token(wire: Wire) -> None:
    answer = await asked(wire, "?hub=chat", UPGRADE | {"Authorization": ""})
    assert answer.status == 401
    assert "WWW-Authenticate" in answer.headers


@pytest.mark.parametrize("role", [APP_SERVER, SERVICE_OWNER])
async def test_roles_that_may_connect(start: StartWire, role: Role) -> None:
    mode = ServiceMode.DEFAULT
    config = Config(service_port=0, control_port=0, role=role, service_mode=mode)
    async with start(config) as wire:
        assert (await handshake(wire))[:2] == [2, ""]


@pytest.mark.parametrize("role", [REST_API_OWNER, REST_API_READER, None])
async def test_roles_that_may_not(start: StartWire, role: Role | None) -> None:
    async with start(Config(service_port=0, control_port=0, role=role)) as wire:
        answer = await asked(wire, "?hub=chat", UPGRADE)
        assert answer.status == 403
        assert "Microsoft.SignalRService/SignalR/serverConnection/write" in answer.body.decode()


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("", "hub"),
        ("?hub=", "hub"),
        ("?hub=1chat", "hub"),
        ("?hub=a-b", "hub"),
        (f"?hub=chat&cid={'c' * 257}", "cid"),
        ("?hub=chat&cid=a%0Ab", "cid"),
    ],
)
async def test_bad_queries(wire: Wire, query: str, target: str) -> None:
    answer = await asked(wire, query, UPGRADE)
    assert answer.status == 400
    assert answer.json["target"] == target


@pytest.mark.parametrize("headers", [{}, {**UPGRADE, "Sec-WebSocket-Version": "12"}])
async def test_no_upgrade(wire: Wire, headers: dict[str, str]) -> None:
    answer = await asked(wire, "?hub=chat", headers)
    assert answer.status == 400
    assert "WebSocket" in answer.body.decode()


async def test_two_connections_have_two_ids(wire: Wire, server: AppServer) -> None:
    [first] = wire.emulator.service.resources[0].servers.all()
    answer = await asked(wire, f"?hub=chat&cid={first.connection_id}", UPGRADE)
    assert answer.status == 400
    assert answer.json["target"] == "cid"
    # Ids of another hub are its own.
    token = signed(f"{HOST}/server/?hub=news")
    ws = await wire.session.ws_connect(
        f"{wire.emulator.service_url}/server/?hub=news&cid={first.connection_id}",
        headers={"Authorization": f"Bearer {token}"},
    )
    other = AppServer(ws, "two")
    await other.send(*said_by_server("server handshake"))
    assert (await other.next_of_all())[:2] == [2, ""]
    await server.synchronized()


async def test_of_two_with_one_id_the_second_handshake_is_refused(wire: Wire) -> None:
    both = [
        AppServer(
            await wire.session.ws_connect(
                f"{wire.emulator.service_url}/server/?hub=chat&cid=same",
                headers={"Authorization": f"Bearer {await wire.entra_token()}"},
            ),
            "one",
        )
        for _ in range(2)
    ]
    answers = []
    for each in both:
        await each.send(*said_by_server("server handshake"))
        answers.append((await each.next_of_all())[1])
    assert answers == ["", "Another server connection has this id."]
    assert await both[1].closed() == 1000
    await both[0].synchronized()


@pytest.mark.parametrize("kind", [DEFAULT, ON_DEMAND, WEAK])
@pytest.mark.parametrize("mode", [ServiceMode.DEFAULT, ServiceMode.CLASSIC])
async def test_kinds_with_app_servers(start: StartWire, kind: int, mode: ServiceMode) -> None:
    async with (
        start(Config(service_port=0, control_port=0, service_mode=mode)) as wire,
        app_server(wire, kind, query="&target=instance-2") as server,
    ):
        await server.synchronized()


@pytest.mark.parametrize("kind", [DEFAULT, ON_DEMAND])
async def test_a_serverless_service_takes_none_that_carry_clients(
    start: StartWire, kind: int
) -> None:
    async with start(Config(service_port=0, control_port=0)) as wire:
        server = AppServer(await server_socket(wire), "one")
        await server.send([1, 1, kind, "", 0, {}, False])
        answer, error, *_ = await server.next_of_all()
        assert answer == 2
        assert "'Serverless' mode" in error
        assert "--service-mode Default" in error
        assert await server.closed() == 1000
        async with app_server(wire, WEAK) as weak:
            await weak.synchronized()


@pytest.mark.parametrize(
    ("first", "error"),
    [
        ([1, 2, 0, "", 0, {}, False], "Version 2 is not supported, only 1."),
        ([1, 1, 3, "", 0, {}, False], "Type 3 of a server connection is not known."),
        ([1, "1", 0, ""], "HandshakeRequest: version must be a whole number of 32 bits"),
        ([1], "HandshakeRequest: items must be 2 or more, and are 1"),
        ([3], "The first message has to be the handshake."),
        ([99], "The first message has to be the handshake."),
        ([10, [], {}, {}], "The first message has to be the handshake."),
    ],
)
async def test_first_messages_that_are_refused(wire: Wire, first: list[Any], error: str) -> None:
    server = AppServer(await server_socket(wire), "one")
    await server.send(first)
    assert (await server.next_of_all())[:2] == [2, error]
    assert await server.closed() == 1000
    assert wire.emulator.service.resources[0].servers.all() == []


async def test_an_old_handshake_of_two_items(wire: Wire) -> None:
    server = AppServer(await server_socket(wire), "one")
    await server.send([1, 1])
    assert (await server.next_of_all())[:2] == [2, ""]


async def test_the_handshake_may_come_byte_by_byte_and_with_what_follows(wire: Wire) -> None:
    server = AppServer(await server_socket(wire), "one")
    for byte in framed(*said_by_server("server handshake"), [3, "servers", ""]):
        await server.ws.send_bytes(bytes([byte]))
    assert (await server.next_of_all())[:2] == [2, ""]
    assert (await server.next_of_all())[:2] == [3, "servers"]
