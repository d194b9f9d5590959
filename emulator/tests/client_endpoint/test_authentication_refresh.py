"""Clients that renew their sign-in: what Client 11.0.0 of .NET asks the service, and JavaScript."""

from collections.abc import Mapping

import aiohttp
import pytest
from signalr_emulator import Clock
from signalr_emulator.transports.timing import Timing
from signalr_emulator.upstream.settings import parse_template

from emulator.tests.conftest import NOW, StartWire
from emulator.tests.link import LONG_POLLING, TRANSPORTS, Link
from emulator.tests.real_client import javascript
from emulator.tests.refreshing import iso, pairs, refresh
from emulator.tests.upstream_app import App, calling
from emulator.tests.wire import Wire, said

CLOSE = '{"type":7,"allowReconnect":true}\x1e'
LIFETIME = 60
"""Of the connection without a refresh, in seconds."""

LONGER = 5
"""By this a token outlives it, so that the last polls are no 401."""

DOTNET = {
    "Accept": "*/*",
    "User-Agent": "Microsoft SignalR/11.0 (11.0.0+297acf930fb0f5c07fd4e51d78e521b4ad2e5d1f; Linux;"
    " .NET; .NET 11.0.0)",
    "X-Requested-With": "XMLHttpRequest",
}


def claims(now: float, role: str) -> Mapping[str, str]:
    end = str(int(now + LIFETIME))
    return {"asrs.s.uid": "ann", "role": role, "asrs.s.coae": "true", "asrs.s.aeo": end}


async def token(wire: Wire, held: Mapping[str, str]) -> str:
    now = wire.emulator.service.clock.now()
    return await wire.client_token("chat", **held, exp=int(now + LIFETIME + LONGER))


async def refreshed(wire: Wire, connection_token: str, role: str) -> str:
    """Refresh a connection, and give the client token that the app makes of the answer."""
    wanted = claims(wire.emulator.service.clock.now(), role)
    until = iso(float(wanted["asrs.s.aeo"]))
    held = dict(pairs(await refresh(wire, connection_token, [*wanted.items()], until=until)))
    assert held == wanted
    return await token(wire, held)


class DotNet(Link):
    """A connection of Client 11.0.0, with the headers of its requests."""

    @property
    def headers(self) -> dict[str, str]:
        return super().headers | DOTNET


async def renewing(wire: Wire) -> DotNet:
    first = await token(wire, claims(NOW, "role-0"))
    url = f"{wire.emulator.service_url}/client/negotiate?hub=chat&negotiateVersion=1"
    headers = DOTNET | {"Authorization": f"Bearer {first}", "Content-Length": "0"}
    reply = (await wire.request("POST", url, headers=headers)).json
    return DotNet(wire, first, reply["connectionToken"], reply["connectionId"])


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_three_refreshes_of_a_dotnet_client(
    start: StartWire, app: App, clock: Clock, transport: str
) -> None:
    timing = Timing(expiry_scan=0.01)
    async with calling(start, parse_template(app.url), timing=timing) as wire:
        link = await renewing(wire)
        async with link.connected(transport) as client:
            assert await app.events(1) == ["connected"]
            for turn in range(1, 4):
                # WebSockets and event streams stay open with the token that they began with.
                link.token = await refreshed(wire, link.connection_token, f"role-{turn}")
                call = f'{{"type":1,"invocationId":"{turn}","target":"note","arguments":[]}}\x1e'
                await client.send(call)
                assert await client.receive() == f'{{"type":3,"invocationId":"{turn}"}}\x1e'
                request, _ = await app.next()
                assert request.headers["X-ASRS-User-Claims"] == f"role: role-{turn}"
                clock.advance(LIFETIME - 1)
            clock.advance(1)
            assert [await client.receive(), await client.receive()] == [CLOSE, ""]


async def test_the_last_requests_of_a_dotnet_client_that_polls(wire: Wire) -> None:
    link = await renewing(wire)
    async with link.connected(LONG_POLLING) as client:
        link.token = await refreshed(wire, link.connection_token, "role-1")
        assert (await link.request("DELETE")).status == 202
        assert await client.receive() == ""
        assert (await link.request("DELETE")).status == 404


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_javascript_client(
    start: StartWire, app: App, clock: Clock, transport: str
) -> None:
    timing = Timing(expiry_scan=0.01)
    async with calling(start, parse_template(app.url), timing=timing) as wire:
        first = await token(wire, claims(NOW, "role-0"))
        async with javascript("refresh.mjs", wire.hub_url(), first, transport) as client:
            connection_token = (await client.event())["connectionToken"]
            assert (await client.event())["event"] == "connected"
            assert await app.events(1) == ["connected"]
            for turn in (1, 2):
                await client.go_on(await refreshed(wire, connection_token, f"role-{turn}"))
                assert await client.event() == {"event": "invoked"}
                request, _ = await app.next()
                assert request.headers["X-ASRS-User-Claims"] == f"role: role-{turn}"
                # The token that it began with has ended, and so would have the connection.
                clock.advance(LIFETIME - 1)
                await wire.send("chat/", turn)
                assert await client.event() == {"event": "say", "arguments": [turn]}
            clock.advance(1)
            assert await client.event() == {"event": "closed", "error": None}


async def test_a_stateful_reconnect_after_a_refresh(wire: Wire, clock: Clock) -> None:
    first = await token(wire, claims(NOW, "role-0"))
    query = "&negotiateVersion=1&useStatefulReconnect=true"
    reply = (await wire.negotiate(token=first, query=query)).json
    link = DotNet(wire, first, reply["connectionToken"], reply["connectionId"])
    handshake = '{"protocol":"json","version":2}\x1e'
    async with wire.session.ws_connect(link.url, headers=link.headers) as lost:
        await lost.send_str(handshake)
        assert await lost.receive_str() == "{}\x1e"
        link.token = await refreshed(wire, link.connection_token, "role-1")
        clock.advance(LIFETIME / 2 + LONGER)
        link.token = await refreshed(wire, link.connection_token, "role-2")
        clock.advance(LIFETIME / 2 + LONGER)
        mine, theirs = link.token, await wire.client_token(**{"asrs.s.uid": "bob"})
        for refused, status in ((theirs, 403), (first, 401)):
            link.token = refused
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await wire.session.ws_connect(link.url, headers=link.headers)
            assert caught.value.status == status
        link.token = mine
        async with wire.session.ws_connect(link.url, headers=link.headers) as found:
            assert await found.receive_str() == '{"type":9,"sequenceId":1}\x1e'
            await wire.send("chat/", 1)
            assert await found.receive_str() == said(1)
