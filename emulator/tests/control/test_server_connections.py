"""Commands about server connections, with an app server without a library and bare clients."""

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from signalr_emulator import Config
from signalr_emulator.configuration.service_mode import ServiceMode
from signalr_emulator.documents.json_text import Json
from signalr_emulator.service_protocol.messages import (
    CloseConnection,
    ConnectionKind,
    Ping,
)
from signalr_emulator.service_protocol.sends import BroadcastData

from emulator.tests.bare_server import app_server, client_of
from emulator.tests.conftest import StartWire
from emulator.tests.wire import Answer, Wire

PING = b'{"type":6}\x1e'
LOST = '{"type":7,"error":"The connection to the app server is lost.","allowReconnect":true}\x1e'


@pytest.fixture
async def wire(start: StartWire) -> AsyncIterator[Wire]:
    config = Config(service_port=0, control_port=0, service_mode=ServiceMode.DEFAULT)
    async with start(config) as wire:
        yield wire


async def command(wire: Wire, name: str, chosen: Json = None) -> Answer:
    return await wire.request(
        "POST",
        f"{wire.emulator.control_url}/emulator/server-connections/{name}",
        data=None if chosen is None else json.dumps(chosen).encode(),
    )


async def test_a_cut_server_connection_takes_its_clients_along(wire: Wire) -> None:
    async with app_server(wire) as server, app_server(wire, cid="cid-2") as other:
        async with client_of(wire, server) as (client, _):
            answer = await command(wire, "drop", {"connectionId": "cid-1"})
            assert (answer.status, answer.json) == (200, {"dropped": 1})
            assert await server.receive() is None
            assert server.ws.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
            assert await client.text() == LOST
            assert await client.closed() == aiohttp.WSCloseCode.OK
        async with client_of(wire, other):
            counts = (await wire.control("/emulator/state"))["serverConnections"]
            assert counts == {"chat": 1}


@pytest.mark.parametrize(
    ("chosen", "cut"),
    [
        (None, {1, 2, 3, 4}),
        ({}, {1, 2, 3, 4}),
        ({"hub": "Chat"}, {1, 2, 3}),
        ({"hub": "news"}, {4}),
        ({"hub": "none"}, set()),
        ({"serverId": "server-2"}, {3, 4}),
        ({"serverId": "server-2", "hub": "news"}, {4}),
        ({"connectionId": "cid-3"}, {3}),
        ({"share": 0}, set()),
        ({"share": 0.5, "seed": 3}, {1, 3}),
        ({"share": 0.5, "seed": 4}, {1, 2, 3, 4}),
    ],
)
async def test_those_that_are_meant_are_cut(wire: Wire, chosen: Json, cut: set[int]) -> None:
    async with (
        app_server(wire, cid="cid-1", server="server-1") as first,
        app_server(wire, cid="cid-2", server="server-1", kind=ConnectionKind.WEAK) as second,
        app_server(wire, cid="cid-3", server="server-2") as third,
        app_server(wire, "news", cid="cid-4", server="server-2") as fourth,
    ):
        assert (await command(wire, "drop", chosen)).json == {"dropped": len(cut)}
        servers = {1: first, 2: second, 3: third, 4: fourth}
        for number in cut:
            assert await servers[number].receive() is None
        left = {1, 2, 3, 4} - cut
        assert (await command(wire, "rebalance")).json == {"told": len(left)}
        for number in left:
            assert isinstance(await servers[number].receive(), Ping)


async def test_a_server_is_asked_for_another_connection(wire: Wire) -> None:
    instance = wire.emulator.service.first.servers.instance_id
    async with app_server(wire) as server, app_server(wire, "news", cid="cid-2") as other:
        assert (await command(wire, "rebalance", {"hub": "chat"})).json == {"told": 1}
        assert await server.receive() == Ping(("target", instance))
        assert (await command(wire, "rebalance")).json == {"told": 2}
        assert await server.receive() == await other.receive() == Ping(("target", instance))


async def test_clients_of_an_instance_that_is_gone(wire: Wire) -> None:
    async with app_server(wire) as server, app_server(wire, cid="cid-2") as other:
        async with client_of(wire, server) as (client, opened), client_of(wire, other):
            answer = await command(wire, "offline", {"connectionId": "cid-1"})
            assert (answer.status, answer.json) == (200, {"told": 1})
            # The server ends those that came by this instance by itself.
            (instance,) = dict(opened.headers)["Asrs-Instance-Id"]
            assert await server.receive() == Ping(("offline", instance))
            message = await client.ws.receive(timeout=5)
            assert message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
            assert client.ws.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
            assert await wire.connection_counts() == {"chat": 1}
        # The client that stayed ends as usual; nobody names the other one to its server again.
        assert isinstance(await other.receive(), CloseConnection)
        async with client_of(wire, server) as (back, taken):
            assert taken.connection_id != opened.connection_id
            await server.send(BroadcastData((), (("json", PING),)))
            assert await back.text() == PING.decode()


@pytest.mark.parametrize("name", ["drop", "rebalance", "offline"])
@pytest.mark.parametrize(
    ("chosen", "pointer"),
    [
        ({"share": 2}, "#/share"),
        ({"seed": 0.5}, "#/seed"),
        ({"hub": 1}, "#/hub"),
        ({"serverId": ["a"]}, "#/serverId"),
        ({"userId": "ann"}, "#/userId"),
        ([], "#"),
    ],
)
async def test_what_is_not_understood(wire: Wire, name: str, chosen: Json, pointer: str) -> None:
    async with app_server(wire) as server:
        answer = await command(wire, name, chosen)
        assert answer.status == 400
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
        async with client_of(wire, server):
            pass


async def test_pages_from_elsewhere_command_nothing(wire: Wire) -> None:
    async with app_server(wire) as server:
        answer = await wire.request(
            "POST",
            f"{wire.emulator.control_url}/emulator/server-connections/drop",
            headers={"Origin": "https://evil.example"},
        )
        assert answer.status == 403
        async with client_of(wire, server):
            pass
