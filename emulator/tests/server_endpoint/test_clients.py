"""A client of an app server from its handshake to its end, whatever carries it."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from signalr_emulator import Config
from signalr_emulator.configuration.service_mode import ServiceMode
from signalr_emulator.transports.timing import Timing
from signalr_emulator.upstream.settings import UpstreamConfig
from yarl import URL

from emulator.tests.conftest import StartWire
from emulator.tests.link import TRANSPORTS, negotiated
from emulator.tests.server_endpoint.conftest import Advance
from emulator.tests.server_endpoint.recorded import said_by_server
from emulator.tests.server_endpoint.stub import (
    AppServer,
    app_server,
    ended,
    framed,
    greeted,
)
from emulator.tests.wire import API_VERSION, HANDSHAKE, HANDSHAKE_REPLY, Socket, Wire

CLOSED = '{"type":7,"allowReconnect":true}\x1e'
MESSAGEPACK = '{"protocol":"messagepack","version":1}\x1e'


def closed(error: str) -> str:
    return json.dumps({"type": 7, "error": error, "allowReconnect": True}, separators=(",", ":"))


async def test_what_an_app_server_is_told_of_a_client(wire: Wire, server: AppServer) -> None:
    claims: dict[str, Any] = {
        "asrs.s.uid": "alice",
        "nameid": "alice",
        "role": ["admin", "reader"],
    }
    token = await wire.client_token(**claims)
    query = "?hub=chat&asrs.op=%2Fchat&mine=1&asrs_request_id=a"
    async with wire.session.ws_connect(
        URL(f"{wire.emulator.service_url}/client/{query}", encoded=True),
        headers={
            "Authorization": f"Bearer {token}",
            "X-Forwarded-For": "203.0.113.7",
            "User-Agent": "tester",
        },
    ) as ws:
        await ws.send_str(HANDSHAKE)
        opened = await server.opened()
    told = [(name, value) for name, value in opened.claims if name in claims]
    assert sorted(told) == [
        ("asrs.s.uid", "alice"),
        ("nameid", "alice"),
        ("role", "admin"),
        ("role", "reader"),
    ]
    assert not {"aud", "exp"} & {name for name, _ in opened.claims}
    assert opened.query == query
    assert opened.headers["X-Forwarded-For"] == ["203.0.113.7, 127.0.0.1"]
    assert opened.headers["User-Agent"] == ["tester"]
    servers = wire.emulator.service.resources[0].servers
    assert opened.headers["Asrs-Instance-Id"] == [servers.instance_id]
    assert "Asrs-Migrate-From" not in opened.headers
    assert opened.protocol == "json"
    assert opened.handshake.decode() == HANDSHAKE
    assert token not in str((opened.claims, dict(opened.headers), opened.query))


@pytest.mark.parametrize("whole_query", [False, True], ids=["by default", "whole for upstreams"])
async def test_the_client_token_of_a_browser_is_not_shown(
    start: StartWire, whole_query: bool
) -> None:
    config = Config(
        service_port=0,
        control_port=0,
        service_mode=ServiceMode.DEFAULT,
        upstream=UpstreamConfig(whole_query=whole_query),
    )
    async with start(config) as wire, app_server(wire) as server:
        token = await wire.client_token()
        reply = (await wire.negotiate(token=token)).json
        ws = await wire.open(token=token, connection_token=reply["connectionToken"])
        await ws.send_str(HANDSHAKE)
        opened = await server.opened(reply["connectionId"])
    assert opened.query == "?hub=chat"
    shown = str((opened.claims, dict(opened.headers), opened.query))
    assert token not in shown
    assert reply["connectionToken"] not in shown


@pytest.mark.parametrize("name", ["handshake", "handshake after a send"])
async def test_what_a_hub_sends_on_connection_comes_after_its_answer(
    wire: Wire, server: AppServer, name: str
) -> None:
    ws = await wire.open()
    await ws.send_str(HANDSHAKE)
    opened = await server.opened()
    renamed = {"client-json": opened.connection_id, "f3": opened.connection_id}
    await server.send(*said_by_server(name, renamed))
    socket = Socket(ws, opened.connection_id)
    assert await socket.text() == HANDSHAKE_REPLY
    assert '"target":"welcome"' in await socket.text()


async def test_much_that_is_sent_before_the_answer_keeps_its_order(
    wire: Wire, server: AppServer
) -> None:
    """It can be in groups already, and what is sent to those waits as well."""
    ws = await wire.open(token=await wire.client_token(**{"asrs.s.uid": "ann"}))
    await ws.send_str(HANDSHAKE)
    opened = await server.opened()
    assert await server.ask(18, opened.connection_id, "g", 1, {}) == [20, 1, 1, "", (), None]
    to = [
        [7, [opened.connection_id], {"json": b"1\x1e"}, {}],
        [13, "g", [], {"json": b"2\x1e"}, {}, [], None],
        [10, [], {"json": b"3\x1e"}, {}],
        [8, "ann", {"json": b"4\x1e"}, {}],
    ]
    await server.send(*to)
    await server.synchronized()
    assert (await wire.send("chat/", 5)).status == 202
    await server.send([6, opened.connection_id, b"{}\x1e", {5: 1}])
    socket = Socket(ws, opened.connection_id)
    got = [await socket.text() for _ in range(6)]
    assert got[:5] == [HANDSHAKE_REPLY, "1\x1e", "2\x1e", "3\x1e", "4\x1e"]
    assert json.loads(got[5][:-1])["arguments"] == [5]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_every_transport(wire: Wire, server: AppServer, transport: str) -> None:
    link = await negotiated(wire)
    async with asyncio.TaskGroup() as group:
        accepted = group.create_task(server.accept())
        async with link.connected(transport) as channel:
            opened = await accepted
            assert opened.connection_id == link.connection_id
            call = '{"type":1,"invocationId":"c1","target":"Echo","arguments":["hé"]}\x1e'
            await channel.send(call)
            assert await server.next() == [6, link.connection_id, call.encode(), ()]
            await server.send(*said_by_server("Echo", {"client-json": link.connection_id}))
            answer = '{"type":3,"invocationId":"c1","result":"héllo \\uD83D\\uDE00"}\x1e'
            assert await channel.receive() == answer
            await server.send(
                [6, link.connection_id, CLOSED.encode(), {5: 4}],
                [5, link.connection_id, "", {}, {}],
            )
            assert await channel.receive() == CLOSED
            assert not await channel.receive()
    assert await wire.connection_counts() == {}


async def test_a_transport_for_text_alone_carries_no_messagepack(
    wire: Wire, server: AppServer
) -> None:
    link = await negotiated(wire)
    async with link.events() as events:
        await link.request("POST", MESSAGEPACK.encode())
        async with asyncio.timeout(5):
            told = (await events.readuntil(b"\r\n\r\n")).decode()
    assert "The transport cannot carry the protocol 'messagepack'." in told
    await server.synchronized()


async def test_messagepack_over_long_polling(wire: Wire, server: AppServer) -> None:
    link = await negotiated(wire)
    assert (await link.poll()) == (200, "")
    await link.request("POST", MESSAGEPACK.encode())
    opened = await server.opened(link.connection_id)
    assert opened.protocol == "messagepack"
    renamed = {"client-msgpack": link.connection_id}
    await server.send(*said_by_server("MessagePack handshake", renamed))
    body = b""
    while b"welcome" not in body:
        body += (await link.request("GET")).body
    assert body.startswith(b"{}\x1e\x21\x96\x01\x80\xc0\xa7welcome")
    data = bytes(range(256))
    await link.request("POST", data)
    assert await server.next() == [6, link.connection_id, data, ()]


@pytest.mark.parametrize("protocol", ["messagepack", "blazorpack", "smoke-signals"])
async def test_protocols_are_for_the_app_server_to_know(
    wire: Wire, server: AppServer, protocol: str
) -> None:
    ws = await wire.open()
    await ws.send_str(json.dumps({"protocol": protocol, "version": 1}) + "\x1e")
    opened = await server.accept()
    assert opened.protocol == protocol
    assert (await ws.receive(timeout=5)).data == b"{}\x1e"
    data = framed([1, {}, None, "say", [bytes(300)], []])
    await ws.send_bytes(data)
    assert await server.next() == [6, opened.connection_id, data, ()]
    await server.send([6, opened.connection_id, data, {5: 2}])
    assert (await ws.receive(timeout=5)).data == data
    # The name counts whatever its case; who is not written for gets nothing.
    written = {"json": b"{}\x1e", protocol.upper(): data + b"1"}
    await server.send([10, [], {"json": b"{}\x1e"}, {}], [10, [], written, {}])
    assert (await ws.receive(timeout=5)).data == data + b"1"


async def test_a_hub_that_does_not_know_the_protocol(wire: Wire, server: AppServer) -> None:
    ws = await wire.open()
    await ws.send_str('{"protocol":"smoke-signals","version":1}\x1e')
    opened = await server.opened()
    answer = b'{"error":"The protocol \'smoke-signals\' is not supported."}\x1e'
    await server.send(
        [6, opened.connection_id, answer, {5: 1}], [5, opened.connection_id, "", {}, {}]
    )
    assert (await ws.receive(timeout=5)).data == answer
    assert (await ws.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
    # It is the server that has closed it, so that it is not told.
    await server.synchronized()


async def test_data_passes_as_it_is_cut(wire: Wire, server: AppServer) -> None:
    socket = await greeted(wire, server)
    id_ = socket.connection_id
    for text in ('{"type":1,"targ', 'et":"a","arguments":[]}\x1e{"type":6}\x1e{', "}"):
        await socket.ws.send_str(text)
        assert await server.next() == [6, id_, text.encode(), ()]
    two = said_by_server("two calls", {"client-json": id_})
    await server.send(*two)
    assert [await socket.text() for _ in two] == [message[2].decode() for message in two]
    # What is marked as a part belongs to one hub message, and is not sent before its end.
    call = b'{"type":1,"target":"a","arguments":["' + 3 * b"x" + b'"]}\x1e'
    parts = [[6, id_, call[:10], {6: True}], [6, id_, call[10:20], {5: 2, 6: True}]]
    await server.send(*parts, [6, id_, call[20:], {5: 2}])
    assert await socket.text() == call.decode()
    whole = framed([6, id_, call, {}])
    await server.ws.send_bytes(whole[:9])
    await server.ws.send_bytes(whole[9:] + whole)
    assert [await socket.text() for _ in range(2)] == [call.decode()] * 2


async def test_what_comes_with_the_handshake_follows_it(wire: Wire, server: AppServer) -> None:
    ws = await wire.open()
    await ws.send_str(HANDSHAKE[:9])
    await ws.send_str(HANDSHAKE[9:] + '{"type":6}\x1e')
    opened = await server.opened()
    assert opened.handshake.decode() == HANDSHAKE
    assert await server.next() == [6, opened.connection_id, b'{"type":6}\x1e', ()]


async def test_a_client_that_leaves(wire: Wire, server: AppServer) -> None:
    socket = await greeted(wire, server)
    await socket.ws.close()
    assert await server.next() == [5, socket.connection_id, "", (), ()]
    # The hub's close message may still come.
    await server.send([6, socket.connection_id, CLOSED.encode(), {5: 4}])
    await server.synchronized()


async def test_a_client_whose_network_breaks(wire: Wire, server: AppServer) -> None:
    socket = await greeted(wire, server)
    await wire.drop(socket.connection_id)
    told = await server.next()
    assert told == [5, socket.connection_id, "The transport was lost.", (), ()]


async def test_a_client_that_says_goodbye(wire: Wire, server: AppServer) -> None:
    socket = await greeted(wire, server)
    await socket.ws.send_str('{"type":7}\x1e')
    assert await server.next() == [6, socket.connection_id, b'{"type":7}\x1e', ()]
    await server.send(*said_by_server("close", {"client-json": socket.connection_id}))
    assert await socket.text() == '{"type":7}\x1e'
    assert await ended(socket) == 1000
    await server.synchronized()


async def test_a_client_that_is_closed_by_rest(wire: Wire, server: AppServer) -> None:
    socket = await greeted(wire, server)
    path = f"/api/hubs/chat/connections/{socket.connection_id}?api-version={API_VERSION}"
    assert (await wire.rest("DELETE", f"{path}&reason=Enough.")).status == 200
    assert json.loads((await socket.text())[:-1])["error"] == "Enough."
    assert await ended(socket) == 1000
    assert await server.next() == [5, socket.connection_id, "Enough.", (), ()]


async def test_a_lost_server_connection_ends_its_clients_alone(wire: Wire) -> None:
    async with app_server(wire) as first, app_server(wire) as second:
        lost = await greeted(wire, first)
        kept = await greeted(wire, second)
        await first.ws.close()
        assert await lost.text() == closed("The connection to the app server is lost.") + "\x1e"
        assert await ended(lost) == 1000
        await second.send([6, kept.connection_id, CLOSED.encode(), {}])
        assert await kept.text() == CLOSED
        # Whoever comes now gets the other one.
        again = await greeted(wire, second)
        assert await wire.connection_counts() == {"chat": 2}
        assert again.connection_id != lost.connection_id


async def test_a_server_connection_that_is_cut(wire: Wire, server: AppServer) -> None:
    lost = await greeted(wire, server)
    server.cut()
    assert "app server is lost" in await lost.text()
    assert await ended(lost) == 1000


async def test_no_app_server(wire: Wire) -> None:
    ws = await wire.open()
    await ws.send_str(HANDSHAKE)
    socket = Socket(ws, "unknown")
    error = "SignalR Service is now in 'Default' service mode, and no app server is connected."
    assert await socket.text() == json.dumps({"error": error}, separators=(",", ":")) + "\x1e"
    assert await ended(socket) == 1000


async def test_the_handshake_has_a_limit(start: StartWire) -> None:
    timing = Timing(handshake=0)
    mode = ServiceMode.DEFAULT
    config = Config(service_port=0, control_port=0, service_mode=mode, timing=timing)
    async with start(config) as wire, app_server(wire) as server:
        socket = Socket(await wire.open(), "unknown")
        assert "The handshake did not come within 0 seconds." in await socket.text()
        assert await ended(socket) == 1000
        # It has never been told of that client.
        await server.synchronized()


@pytest.mark.parametrize("is_answered", [True, False])
async def test_a_silent_client_ends(start: StartWire, advance: Advance, is_answered: bool) -> None:
    timing = Timing(client_timeout=20)
    config = Config(service_port=0, control_port=0, service_mode=ServiceMode.DEFAULT, timing=timing)
    async with start(config) as wire, app_server(wire) as server:
        ws = await wire.open()
        await ws.send_str(HANDSHAKE)
        opened = await server.opened()
        socket = Socket(ws, opened.connection_id)
        if is_answered:
            await server.send([6, opened.connection_id, b"{}\x1e", {5: 1}])
            assert await socket.text() == HANDSHAKE_REPLY
        advance(20.1)
        told = await socket.text()
        assert told == (CLOSED if is_answered else '{"error":"The connection was closed."}\x1e')
        assert await ended(socket) == 1000
        assert await server.next() == [5, opened.connection_id, "", (), ()]
