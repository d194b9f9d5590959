import asyncio

import aiohttp
import pytest
from signalr_emulator import Clock, Config, running
from signalr_emulator.configuration.service_mode import ServiceMode
from signalr_emulator.entra.tenant import SigningKey
from signalr_emulator.service_protocol.messages import ConnectionKind, Ping

from emulator.tests.bare_server import app_server, client_of
from emulator.tests.conftest import StartWire
from emulator.tests.inspector.stream import watching
from emulator.tests.wire import Wire


async def test_the_page_loads_nothing_from_elsewhere(wire: Wire) -> None:
    page = await wire.request("GET", f"{wire.emulator.control_url}/")
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert b"http" not in page.body
    assert b"<style" not in page.body
    for name, kind in (
        ("inspector.css", "text/css"),
        ("inspector.js", "text/javascript"),
        ("act.js", "text/javascript"),
        ("elements.js", "text/javascript"),
        ("timeline.js", "text/javascript"),
    ):
        asset = await wire.request("GET", f"{wire.emulator.control_url}/{name}")
        assert asset.status == 200
        assert asset.headers["Content-Type"].startswith(kind)
        assert b"http" not in asset.body


async def test_the_state_comes_by_itself_when_it_changes(wire: Wire) -> None:
    async with watching(wire) as state:
        first = await state()
        (resource,) = first["resources"]
        assert (resource["hubs"], resource["keys"], first["rows"]) == ([], [], [])
        socket = await wire.connect("chat", user="ann")
        current = first
        while not (hubs := current["resources"][0]["hubs"]):
            current = await state()
        assert hubs[0]["name"] == "chat"
        assert hubs[0]["connections"] == [
            {"id": socket.connection_id, "user": "ann", "server": None, "groups": []}
        ]
        (key,) = current["resources"][0]["keys"]
        assert key["expiresAt"] == current["now"] + 90 * 60


async def test_app_servers_are_shown_and_who_answers_whom(start: StartWire) -> None:
    config = Config(service_port=0, control_port=0, service_mode=ServiceMode.DEFAULT)
    weak = ConnectionKind.WEAK
    async with (
        start(config) as wire,
        app_server(wire, cid="cid-1", server="server-1", migration_level=2) as server,
        app_server(wire, cid="cid-2", server="server-2", kind=weak, migration_level=1),
        app_server(wire, "news", cid="cid-3", server="server-1", kind=ConnectionKind.ON_DEMAND),
        client_of(wire, server, "ann") as (client, _),
        watching(wire) as state,
    ):
        (resource,) = (await state())["resources"]
        (hub,) = resource["hubs"]
        assert hub["connections"] == [
            {"id": client.connection_id, "user": "ann", "server": "server-1", "groups": []}
        ]
        first = {
            "id": "cid-1",
            "server": "server-1",
            "kind": "Default",
            "clients": 1,
            "clientsMove": "at any time",
            "isLeaving": False,
        }
        second = {**first, "id": "cid-2", "server": "server-2", "kind": "Weak", "clients": 0}
        third = {**first, "id": "cid-3", "kind": "On demand", "clients": 0}
        assert resource["appServers"] == [
            {
                "hub": "chat",
                "count": 2,
                "connections": [first, {**second, "clientsMove": "when it shuts down"}],
            },
            {"hub": "news", "count": 1, "connections": [{**third, "clientsMove": "never"}]},
        ]
        await server.send(Ping(("shutdown", "fin:2")))
        (resource,) = (await state())["resources"]
        assert resource["appServers"][0]["connections"][0] == {**first, "isLeaving": True}


@pytest.mark.parametrize("path", ["/", "/emulator/state", "/emulator/clock"])
async def test_other_pages_get_nothing(wire: Wire, path: str) -> None:
    url = wire.emulator.control_url
    for origin in ("https://evil.example", "null", "", "http://[", f"{url}.evil.example"):
        headers = {"Origin": origin}
        assert (await wire.request("GET", url + path, headers=headers)).status == 403
    assert (await wire.request("GET", url + path, headers={"Origin": url})).status == 200


async def test_an_open_page_does_not_keep_the_emulator_from_stopping(
    signing_key: SigningKey, clock: Clock
) -> None:
    config = Config(service_port=0, control_port=0)
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as session:
        async with running(config, clock=clock, signing_key=signing_key) as emulator:
            response = await session.get(f"{emulator.control_url}/emulator/events")
            await response.content.readline()
            stopping = loop.time()
        assert loop.time() - stopping < 2
        response.close()
