import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from signalr_emulator import Clock, Config, running
from signalr_emulator.configuration.service_mode import ServiceMode
from signalr_emulator.configuration.settings import SYSTEM_ASSIGNED
from signalr_emulator.entra.tenant import SigningKey
from signalr_emulator.service_protocol.messages import ConnectionKind, Ping

from emulator.tests.bare_server import app_server, client_of
from emulator.tests.conftest import StartWire
from emulator.tests.real_client import javascript
from emulator.tests.wire import Wire

SEND = "Microsoft.SignalRService/SignalR/hub/send/action"


@asynccontextmanager
async def watching(wire: Wire) -> AsyncIterator[Callable[[], Any]]:
    """Read the page's stream: each call waits for the next state."""
    async with wire.session.get(f"{wire.emulator.control_url}/emulator/events") as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"

        async def state() -> Any:  # noqa: ANN401 - a test knows what it expects
            line = await asyncio.wait_for(response.content.readline(), 5)
            assert await response.content.readline() == b"\r\n"
            assert line.startswith(b"data: ")
            return json.loads(line[6:])

        yield state


async def switch(wire: Wire, assignment: str, body: object) -> int:
    answer = await wire.request(
        "POST",
        f"{wire.emulator.control_url}/emulator/role-assignments/{assignment}",
        data=json.dumps(body).encode(),
    )
    return answer.status


async def test_the_page_loads_nothing_from_elsewhere(wire: Wire) -> None:
    page = await wire.request("GET", f"{wire.emulator.control_url}/")
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert b"http" not in page.body
    script = await wire.request("GET", f"{wire.emulator.control_url}/inspector.js")
    assert script.status == 200
    assert script.headers["Content-Type"].startswith("text/javascript")


async def test_the_state_comes_by_itself_when_it_changes(wire: Wire) -> None:
    async with watching(wire) as state:
        first = await state()
        (resource,) = first["resources"]
        assert (resource["hubs"], resource["keys"], first["calls"]) == ([], [], [])
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


async def test_a_person_looks_after_app_servers(start: StartWire) -> None:
    config = Config(service_port=0, control_port=0, service_mode=ServiceMode.DEFAULT)
    async with (
        start(config) as wire,
        app_server(wire, cid="cid-1", server="server-1") as server,
        app_server(wire, cid="cid-2", server="server-2", kind=ConnectionKind.WEAK) as sender,
        client_of(wire, server, "ann") as (client, opened),
        javascript("app_servers.mjs", wire.emulator.control_url) as page,
    ):
        assert await page.event() == {
            "event": "shown",
            "carrier": ["server-1", "cid-1", "Default", "1", "never"],
            "weak": ["server-2", "cid-2", "Weak", "none", "none"],
            "weakButtons": ["Drop"],
            "client": ["ann", "none", "server-1"],
        }
        assert await page.event() == {"event": "end", "errors": []}
        (instance,) = dict(opened.headers)["Asrs-Instance-Id"]
        asked = [await server.receive() for _ in range(3)]
        assert asked == [Ping(("target", instance)), Ping(("offline", instance)), None]
        assert await sender.receive() is None
        await client.ws.receive(timeout=5)
        assert client.ws.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE


async def test_requests_are_shown_with_what_was_checked(wire: Wire) -> None:
    await wire.send("chat/")
    await wire.rest("HEAD", "/api/health")
    await wire.negotiate(token="no token")
    async with watching(wire) as state:
        calls = (await state())["calls"]
    assert [(each["method"], each["path"], each["status"]) for each in calls] == [
        ("POST", "/client/negotiate", 401),
        ("HEAD", "/api/health", 200),
        ("POST", "/api/hubs/chat/:send", 202),
    ]
    assert [each["dataAction"] for each in calls] == [None, None, SEND]
    assert calls[2]["principal"] == SYSTEM_ASSIGNED.resource_id.rpartition("/")[2]


async def test_no_secret_is_shown(wire: Wire) -> None:
    secret, _ = await wire.access_key()
    token = await wire.client_token()
    await wire.connect()
    async with watching(wire) as state:
        shown = json.dumps(await state())
    assert secret not in shown
    assert token not in shown
    assert await wire.entra_token() not in shown


async def test_a_role_assignment_is_switched_off_and_on(wire: Wire) -> None:
    async with watching(wire) as state:
        assignment = (await state())["roleAssignments"][0]
    assert assignment["role"] == "SignalR Service Owner"
    assert assignment["principalId"] == SYSTEM_ASSIGNED.principal_id
    assert assignment["enabled"] is True
    assert (await wire.send("chat/")).status == 202

    assert await switch(wire, assignment["id"], {"enabled": False}) == 200
    assert (await wire.send("chat/")).status == 403
    async with watching(wire) as state:
        assert (await state())["roleAssignments"][0]["enabled"] is False

    assert await switch(wire, assignment["id"], {"enabled": True}) == 200
    assert (await wire.send("chat/")).status == 202


async def test_an_assignment_made_anew_has_effect(wire: Wire) -> None:
    async with watching(wire) as state:
        shown = (await state())["roleAssignments"][0]
    roles = wire.emulator.service.roles
    assignment = roles.assignment(shown["scope"], shown["id"])
    assert await switch(wire, shown["id"], {"enabled": False}) == 200
    roles.delete_assignment(assignment)
    roles.put_assignment(assignment, SYSTEM_ASSIGNED.principal_id)
    assert (await wire.send("chat/")).status == 202


@pytest.mark.parametrize("body", [{}, {"enabled": "yes"}, {"enabled": None}, [], 1])
async def test_a_switch_that_is_not_understood(wire: Wire, body: object) -> None:
    async with watching(wire) as state:
        assignment = (await state())["roleAssignments"][0]
    assert await switch(wire, assignment["id"], body) == 400


async def test_an_unknown_role_assignment(wire: Wire) -> None:
    assert await switch(wire, "unknown", {"enabled": True}) == 404


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


async def test_a_person_uses_the_page(wire: Wire) -> None:
    socket = await wire.connect("chat", user="ann")
    await wire.send("chat/users/ann/", "Hello")
    assert (await wire.send("1chat/")).status == 400
    async with javascript("inspector.mjs", wire.emulator.control_url) as page:
        shown = await page.event()
        assert (shown["connections"], shown["keys"], shown["denied"]) == (1, 1, 1)
        assert "user ann" in shown["messages"]
        assert "say" in shown["messages"]

        assert await page.event() == {"event": "switched", "focused": True}
        assert (await wire.send("chat/")).status == 403
        await page.go_on()

        fault = await page.event()
        assert "sendToUser" in fault["row"]
        assert "503" in fault["row"]
        assert await page.event() == {"event": "end", "errors": []}
    while (await socket.ws.receive(timeout=5)).type is aiohttp.WSMsgType.TEXT:
        continue
    assert socket.ws.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
