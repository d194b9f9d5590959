"""Service modes, hubs and resources: who answers which clients."""

import json

import aiohttp
import pytest
from signalr_emulator import Clock, Config, running
from signalr_emulator.configuration.service_mode import ServiceMode
from signalr_emulator.configuration.settings import FurtherService
from signalr_emulator.entra.tenant import SigningKey
from signalr_emulator.upstream.settings import UpstreamConfig, parse_template

from emulator.tests.conftest import StartWire
from emulator.tests.server_endpoint.stub import (
    DEFAULT,
    WEAK,
    AppServer,
    app_server,
    ended,
    greeted,
)
from emulator.tests.upstream_app import App
from emulator.tests.wire import HANDSHAKE, Socket, Wire, said

CALL = '{"type":1,"invocationId":"1","target":"hi","arguments":[]}\x1e'


def config(mode: ServiceMode, app: App | None = None) -> Config:
    upstream = UpstreamConfig((parse_template(app.url),) if app else ())
    return Config(service_port=0, control_port=0, service_mode=mode, upstream=upstream)


async def test_the_upstream_hears_nothing_of_clients_of_app_servers(
    start: StartWire, app: App
) -> None:
    async with start(config(ServiceMode.DEFAULT, app)) as wire, app_server(wire) as server:
        client = await greeted(wire, server)
        await client.ws.send_str(CALL)
        assert await server.next() == [6, client.connection_id, CALL.encode(), ()]
        await client.ws.close()
        assert (await server.next())[0] == 5
    assert app.requests.empty()


async def test_classic_clients_belong_to_whoever_is_there(start: StartWire, app: App) -> None:
    async with start(config(ServiceMode.CLASSIC, app)) as wire:
        served = await wire.connect()
        assert await app.events(1) == ["connected"]
        async with app_server(wire) as server, app_server(wire, WEAK):
            carried = await greeted(wire, server)
            # Who was there before stays with the upstream, and another hub is not concerned.
            await served.ws.send_str(CALL)
            assert await app.events(1) == ["hi"]
            elsewhere = await wire.connect("news")
            assert await app.events(1) == ["connected"]
            await server.send([10, [], {"json": b"1\x1e"}, {}])
            assert await carried.text() == "1\x1e"
        assert "app server is lost" in await carried.text()
        assert not elsewhere.ws.closed
        # A weak connection carries none, so that the upstream has the clients again.
        async with app_server(wire, WEAK) as weak:
            again = await wire.connect()
            assert await app.events(1) == ["connected"]
            assert not again.ws.closed
            await weak.synchronized()


async def test_a_weak_connection_sends_to_serverless_clients(start: StartWire) -> None:
    async with start(config(ServiceMode.SERVERLESS)) as wire, app_server(wire, WEAK) as weak:
        ann, ben = [await wire.connect(user=user) for user in ("ann", "ben")]
        await weak.send([8, "ann", {"json": b"1\x1e", "messagepack": b"\x02\x91\x06"}, {}])
        await weak.send([10, [ann.connection_id], {"JSON": b"2\x1e"}, {1: 2**63}])
        await weak.send([7, [ben.connection_id, "nobody"], {"json": b"3\x1e"}, {}])
        assert await ann.text() == "1\x1e"
        assert [await ben.text() for _ in range(2)] == ["2\x1e", "3\x1e"]
        assert (await weak.ask(18, ann.connection_id, "g", 1, {}))[:3] == [20, 1, 1]
        assert (await wire.send("chat/groups/g/", "hi")).status == 202
        assert await ann.text() == said("hi")


async def test_a_weak_connection_gets_no_client(wire: Wire) -> None:
    async with app_server(wire, WEAK) as weak:
        ws = await weak.client(wire)
        assert "no app server is connected" in (await ws.receive(timeout=5)).data
        await weak.synchronized()


async def test_hubs_are_apart(wire: Wire, server: AppServer) -> None:
    async with app_server(wire, hub="app1_chat") as other:
        client = await greeted(wire, server)
        stranger = await greeted(wire, other, hub="app1_chat")
        await other.send(
            [10, [], {"json": b"1\x1e"}, {}], [6, client.connection_id, b"2\x1e", {}],
            [5, client.connection_id, "", {}, {}], [7, [client.connection_id], {"json": b"3"}, {}],
        )  # fmt: skip
        assert await stranger.text() == "1\x1e"
        await other.synchronized()
        await server.send([10, [], {"json": b"4\x1e"}, {}])
        assert await client.text() == "4\x1e"


async def test_an_application_of_a_client_is_a_part_of_its_hub(wire: Wire) -> None:
    async with app_server(wire, hub="app1_chat") as server:
        client = await greeted(wire, server, hub="app1_chat")
        path = "/api/hubs/chat/:send?application=app1&api-version=2026-07-01"
        assert (await wire.rest("POST", path, body={"target": "say"})).status == 202
        assert json.loads((await client.text())[:-1])["target"] == "say"


async def test_resources_are_apart(start: StartWire) -> None:
    two = Config(
        service_port=0,
        further_services=(FurtherService(0),),
        control_port=0,
        service_mode=ServiceMode.DEFAULT,
    )
    async with (
        start(two) as wire,
        app_server(wire) as first,
        app_server(wire, url=wire.emulator.service_urls[1]) as second,
    ):
        client = await greeted(wire, first)
        await second.send([10, [], {"json": b"1\x1e"}, {}])
        assert (await second.ask(3, "status", "1"))[1:5] == ["status", "0", "clientcount", "0"]
        assert (await second.ask(24, client.connection_id, 1, {}))[2] == 2
        await first.send([10, [], {"json": b"2\x1e"}, {}])
        assert await client.text() == "2\x1e"
        first_of, second_of = [each.servers for each in wire.emulator.service.resources]
        assert first_of.instance_id != second_of.instance_id


@pytest.mark.parametrize("kind", [DEFAULT, WEAK])
async def test_the_emulator_stops(signing_key: SigningKey, clock: Clock, kind: int) -> None:
    async with aiohttp.ClientSession() as session:
        async with running(
            config(ServiceMode.CLASSIC), clock=clock, signing_key=signing_key
        ) as emulator:
            wire = Wire(emulator, session)
            opening = app_server(wire, kind)
            server = await opening.__aenter__()
            client = await (greeted(wire, server) if kind == DEFAULT else wire.connect())
        assert await client.text() == '{"type":7,"allowReconnect":true}\x1e'
        assert await ended(client) == 1000
        if kind == DEFAULT:
            assert await server.next() == [5, client.connection_id, "", (), ()]
        assert await server.closed() == 1000


async def test_a_server_connection_that_comes_while_a_client_is_connecting(
    start: StartWire,
) -> None:
    """A client is served as it was when its transport came."""
    async with start(config(ServiceMode.CLASSIC)) as wire:
        ws = await wire.open()
        await ws.ping()
        async with app_server(wire) as server:
            await ws.send_str(HANDSHAKE)
            client = Socket(ws, "unknown")
            assert await client.text() == "{}\x1e"
            await server.synchronized()
