"""A person uses the page, in Chromium."""

import aiohttp
from signalr_emulator import Config
from signalr_emulator.configuration.service_mode import ServiceMode
from signalr_emulator.service_protocol.messages import ConnectionKind, Ping

from emulator.tests.bare_server import app_server, client_of
from emulator.tests.conftest import StartWire
from emulator.tests.real_client import javascript
from emulator.tests.wire import Wire


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


async def test_a_person_uses_the_page(wire: Wire) -> None:
    socket = await wire.connect("chat", user="ann")
    await wire.send("chat/users/ann/", "<b>Hello</b>")
    assert (await wire.send("1chat/")).status == 400
    async with javascript("inspector.mjs", wire.emulator.control_url) as page:
        shown = await page.event()
        assert (shown["connections"], shown["keys"], shown["failed"]) == (1, 1, 1)
        assert shown["note"] == "say to user ann (1 connection)"

        opened = await page.event()
        assert (opened["operation"], opened["target"]) == ("sendToUser", "say")
        assert (opened["to"], opened["markup"]) == ("user ann", 0)
        assert "<b>Hello</b>" in opened["arguments"]
        await wire.send("chat/")
        await page.go_on()

        filtered = await page.event()
        assert filtered["matching"].startswith("1 of ")
        assert filtered["paused"] == "true"
        await wire.send("chat/")
        await page.go_on()

        assert await page.event() == {"event": "switched", "focused": True}
        assert (await wire.send("chat/")).status == 403
        await page.go_on()
        why = (await page.event())["why"]
        assert "No role of the caller has Microsoft.SignalRService/SignalR/hub/send/action" in why
        assert "SignalR Service Owner is switched off" in why

        assert "not right" in (await page.event())["wrong"]
        first, second = (await page.event())["rows"]
        assert "sendToUser" in first
        assert "503" in first
        assert "addUserToGroup" in second
        ahead = (await page.event())["told"]
        assert "1 h ahead of real time" in ahead
        assert "expired when a client comes with them" in ahead
        warned = await page.event()
        assert "within five minutes" in warned["warned"]
        assert warned["keys"] == 1
        assert await page.event() == {"event": "end", "errors": []}
    heard = []
    while (message := await socket.ws.receive(timeout=5)).type is aiohttp.WSMsgType.TEXT:
        heard.append(message.data)
    assert any("[12.50]" in each for each in heard)
    assert socket.ws.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE


async def test_the_page_is_readable_on_every_screen_and_stays_still(wire: Wire) -> None:
    await wire.connect("chat", user="ann")
    await wire.send("chat/groups/a-group-with-a-name-that-is-rather-long-for-a-phone/", "Hello")
    assignments = wire.emulator.service.role_assignments
    assignments.switch(assignments.assignments[0], on=False)
    assert (await wire.send("chat/")).status == 403
    async with javascript("inspector_looks.mjs", wire.emulator.control_url) as page:
        for width in (1280, 390):
            for scheme in ("light", "dark"):
                looked = await page.event()
                assert (looked["width"], looked["colorScheme"]) == (width, scheme)
                assert looked["overflow"] <= 0
                assert looked["contrast"] >= 4.5, looked
        assert await page.event() == {"event": "reading"}
        journal = wire.emulator.service.journal
        _, happening = next(iter(journal.timeline))
        for _ in range(1000):
            journal.happened(happening)
        await page.go_on()
        assert await page.event() == {"event": "many", "moved": 0, "drawn": 200, "more": 400}
