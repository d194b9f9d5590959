"""Signs of life, what pings ask for, and how a server leaves."""

import json

import pytest
from signalr_emulator import Config
from signalr_emulator.configuration.service_mode import ServiceMode
from signalr_emulator.server_connections.timing import ServerTiming
from signalr_emulator.transports.timing import Timing

from emulator.tests.conftest import NOW, StartWire
from emulator.tests.server_endpoint.conftest import Advance
from emulator.tests.server_endpoint.recorded import said_by_server
from emulator.tests.server_endpoint.stub import (
    PING,
    WEAK,
    AppServer,
    app_server,
    ended,
    greeted,
    server_socket,
)
from emulator.tests.wire import HANDSHAKE, Wire

FINISHED = [3, "shutdown", "finack"]
GOODBYE = '{"type":7,"allowReconnect":true}\x1e'


async def test_the_service_pings(server: AppServer, advance: Advance) -> None:
    for _ in range(3):
        advance(5)
        assert await server.next_of_all() == PING
    await server.synchronized()


async def test_a_silent_server_is_cut_off_with_its_clients(
    start: StartWire, advance: Advance
) -> None:
    timing = Timing(client_timeout=300)
    mode = ServiceMode.DEFAULT
    config = Config(service_port=0, control_port=0, service_mode=mode, timing=timing)
    async with start(config) as wire, app_server(wire) as server, app_server(wire) as other:
        client = await greeted(wire, server)
        advance(29)
        await other.send(PING)
        await other.synchronized()
        advance(1)
        assert await server.next() == [15, "The server is silent."]
        assert await server.closed() == 1000
        assert "app server is lost" in await client.text()
        await other.synchronized()


async def test_a_server_that_says_anything_stays(server: AppServer, advance: Advance) -> None:
    for _ in range(3):
        advance(29)
        # Of the counts that an SDK gives nothing follows.
        await server.send([3, "#clientInHub", "1", "#client", "1"])
        await server.synchronized()


async def test_the_handshake_does_not_come(start: StartWire) -> None:
    timing = ServerTiming(handshake=0)
    config = Config(service_port=0, control_port=0, server_timing=timing)
    async with start(config) as wire:
        server = AppServer(await server_socket(wire), "one")
        error = "The handshake did not come within 0 seconds."
        assert (await server.next_of_all())[:2] == [2, error]
        assert await server.closed() == 1000


async def test_status(wire: Wire, server: AppServer) -> None:
    async with app_server(wire, server_id=server.server_id), app_server(wire) as other:
        empty = ["status", "0", "clientcount", "0", "servercount", "2", "capacity", "1000"]
        assert await server.ask(3, "status", "1") == [3, *empty]
        client = await greeted(wire, server)
        one = ["status", "1", "clientcount", "1", "servercount", "2", "capacity", "1000"]
        # The spec has nothing where the SDK has 1.
        assert await other.ask(3, "status", "") == [3, *one]
        async with app_server(wire, hub="news") as news:
            assert (await news.ask(3, "status", "1"))[2] == "0"
        assert client.connection_id


async def test_servers(wire: Wire, server: AppServer) -> None:
    async with app_server(wire) as other, app_server(wire, hub="news"):
        kind, key, answer = await server.ask(3, "servers", "")
        assert (kind, key) == (3, "servers")
        ticks, _, ids = answer.partition(":")
        assert ids == ";".join(sorted((server.server_id, other.server_id)))
        # Of 100 ns, since the year 1.
        assert int(ticks) == 621_355_968_000_000_000 + int(NOW) * 10_000_000


@pytest.mark.parametrize(
    "ping", [PING, [3, "x"], [3, "x", None], [3, None, None], [3, "echo", "1"], [3, "status"]]
)
async def test_pings_that_need_no_answer(server: AppServer, ping: list[str | None]) -> None:
    await server.send(ping)
    await server.synchronized()


async def test_a_server_that_drops_its_clients(wire: Wire, server: AppServer) -> None:
    client = await greeted(wire, server)
    [stop] = said_by_server("fin:0")
    assert await server.ask(*stop) == FINISHED
    # It says so to its clients itself, and on each of its connections to the service.
    assert await server.ask(*stop) == FINISHED
    [goodbye] = said_by_server("goodbye", {"held": client.connection_id})
    await server.send(goodbye)
    assert await client.text() == GOODBYE
    await server.ws.close()
    assert "app server is lost" in await client.text()


async def test_a_server_that_leaves_gets_no_new_client(wire: Wire, server: AppServer) -> None:
    await server.ask(3, "shutdown", "fin:0")
    ws = await server.client(wire)
    assert "no app server is connected" in (await ws.receive(timeout=5)).data
    async with app_server(wire) as other:
        await greeted(wire, other)


async def test_a_server_that_waits_for_its_clients(wire: Wire, server: AppServer) -> None:
    client = await greeted(wire, server)
    stop = [3, "shutdown", "fin:2"]
    await server.send(stop)
    await server.synchronized()
    await client.ws.close()
    assert (await server.next())[0] == 5
    # It asks again every 5 s.
    assert await server.ask(*stop) == FINISHED


async def test_clients_move_to_another_server(wire: Wire) -> None:
    async with app_server(wire, migration_level=1) as first, app_server(wire) as second:
        client = await greeted(wire, first)
        await greeted(wire, second)
        [stop] = said_by_server("fin:1")
        await first.send(stop)
        moved = await first.next()
        assert moved[:3] == [5, client.connection_id, ""]
        assert dict(moved[3]) == {"Asrs-Migrate-To": [second.server_id]}
        assert await first.next() == FINISHED
        opened = await second.opened(client.connection_id)
        assert opened.headers["Asrs-Migrate-From"] == [first.server_id]
        assert opened.handshake.decode() == HANDSHAKE
        # The other server keeps its answer to the handshake, and the client notices nothing.
        await second.send([6, client.connection_id, b"1\x1e", {}])
        assert await client.text() == "1\x1e"
        await client.ws.send_str("2\x1e")
        assert await second.next() == [6, client.connection_id, b"2\x1e", ()]
        await first.ws.close()
        await second.send([7, [client.connection_id], {"json": b"3\x1e"}, {}])
        assert await client.text() == "3\x1e"


async def test_a_client_that_moves_in_the_middle_of_its_handshake(wire: Wire) -> None:
    async with app_server(wire, migration_level=1) as first, app_server(wire) as second:
        second_client = await greeted(wire, first)
        ws = await second.client(wire)
        opened = await second.opened()
        await second.send([3, "shutdown", "fin:1"])
        assert (await second.next())[:2] == [5, opened.connection_id]
        assert await second.next() == FINISHED
        again = await first.opened(opened.connection_id)
        # To the other server it is a new client, whose handshake it answers.
        assert "Asrs-Migrate-From" not in again.headers
        await first.send([6, opened.connection_id, b"{}\x1e", {5: 1}])
        assert (await ws.receive(timeout=5)).data == "{}\x1e"
        assert second_client.connection_id


async def test_clients_that_nobody_takes_over_end(wire: Wire) -> None:
    async with (
        app_server(wire, migration_level=1) as server,
        app_server(wire, WEAK),
        app_server(wire, hub="news"),
        app_server(wire, server_id=server.server_id) as same,
    ):
        client = await greeted(wire, server)
        # Another connection of the same process is no help.
        await same.send([3, "shutdown", "fin:1"])
        assert await same.next() == FINISHED
        await server.send([3, "shutdown", "fin:1"])
        assert await server.next() == [5, client.connection_id, "", (), ()]
        assert await server.next() == FINISHED
        assert await client.text() == GOODBYE
        assert await ended(client) == 1000


@pytest.mark.parametrize("level", [0, 1, 2])
async def test_what_becomes_of_clients_when_a_connection_is_lost(wire: Wire, level: int) -> None:
    async with app_server(wire, migration_level=level) as first:
        client = await greeted(wire, first)
        async with app_server(wire) as second:
            first.cut()
            if level < 2:
                error = json.loads((await client.text())[:-1])["error"]
                assert error == "The connection to the app server is lost."
                return
            opened = await second.opened(client.connection_id)
            assert opened.headers["Asrs-Migrate-From"] == [first.server_id]
            await second.send([6, client.connection_id, b"1\x1e", {}])
            assert await client.text() == "1\x1e"


async def test_who_gets_a_client(wire: Wire) -> None:
    async with app_server(wire) as first, app_server(wire) as second:
        # The least loaded, of two the older.
        for server in (first, second, first, second):
            await server.client(wire)
            await server.accept()
        for wanted in (second, first, second, second):
            claims = {"asrs.s.sn": wanted.server_id, "asrs.s.ssticky": "Required"}
            ws = await wanted.client(wire, token=await wire.client_token(**claims))
            await wanted.accept()
            assert (await ws.receive(timeout=5)).data == "{}\x1e"
        claims = {"asrs.s.sn": "gone", "asrs.s.ssticky": "Preferred"}
        await first.client(wire, token=await wire.client_token(**claims))
        await first.accept()
        claims = {"asrs.s.sn": "gone", "asrs.s.ssticky": "Required"}
        ws = await first.client(wire, token=await wire.client_token(**claims))
        assert "no app server" in (await ws.receive(timeout=5)).data
