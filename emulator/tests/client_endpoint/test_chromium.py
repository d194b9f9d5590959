"""The JavaScript client in a browser, whose page comes from another origin than the service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from emulator.tests.real_client import RealClient, javascript
from emulator.tests.wire import Wire

WAYS = [
    "WebSockets/json",
    "WebSockets/messagepack",
    "ServerSentEvents/json",
    "LongPolling/json",
    "LongPolling/messagepack",
]


class Page:
    """A page with several clients, each named by the way in which it connects."""

    def __init__(self, browser: RealClient, clients: list[str]) -> None:
        self.clients = clients
        self._browser = browser

    async def events(self, count: int = 1) -> dict[str, list[dict[str, Any]]]:
        """Give the next events of every client."""
        seen: dict[str, list[dict[str, Any]]] = {client: [] for client in self.clients}
        for _ in range(count * len(self.clients)):
            event = await self._browser.event()
            seen[event.pop("client")].append(event)
        assert {client: len(events) for client, events in seen.items()} == dict.fromkeys(
            self.clients, count
        )
        return seen

    async def heard(self, *arguments: object) -> None:
        """Expect that every client has received one message, and nothing else."""
        said = [{"event": "say", "arguments": list(arguments)}]
        assert await self.events() == dict.fromkeys(self.clients, said)


@asynccontextmanager
async def opened(wire: Wire, *clients: str) -> AsyncIterator[tuple[Page, dict[str, str]]]:
    """Open a page whose clients have connected, and were refused what they invoked."""
    token = await wire.client_token()
    async with javascript("browser.mjs", wire.hub_url(), token, *clients) as browser:
        assert (await browser.event())["event"] == "browser"
        page = Page(browser, list(clients))
        seen = await page.events(2)
        for connected, refused in seen.values():
            assert (connected["event"], refused["event"]) == ("connected", "refused")
        yield page, {client: connected["connectionId"] for client, (connected, _) in seen.items()}


async def test_messages_and_client_results(wire: Wire) -> None:
    async with opened(wire, *WAYS) as (page, connection_ids):
        assert await wire.connection_counts() == {"chat": len(WAYS)}
        await wire.send("chat/", "hi", 7)
        await page.heard("hi", 7)
        for connection_id in connection_ids.values():
            answer = await wire.invoke(connection_id, "double", 21)
            assert (answer.status, answer.json) == (200, {"result": 42})
            answer = await wire.invoke(connection_id, "fail")
            assert (answer.status, answer.json["message"]) == (400, "Error: no")
            answer = await wire.invoke(connection_id, "nothing")
            assert answer.status == 400
            assert "didn't provide a result" in answer.json["message"]


async def test_automatic_reconnect(wire: Wire) -> None:
    async with opened(wire, *(f"{way}/reconnect" for way in WAYS)) as (page, connection_ids):
        for connection_id in connection_ids.values():
            await wire.drop(connection_id)
        await expect_reconnection(wire, page, connection_ids)


async def test_reconnect_when_the_service_permits_it(wire: Wire) -> None:
    async with opened(wire, *(f"{way}/reconnect" for way in WAYS)) as (page, connection_ids):
        for connection_id in connection_ids.values():
            wire.member(connection_id).disconnect("bye", allow_reconnect=True)
        await expect_reconnection(wire, page, connection_ids)


async def expect_reconnection(wire: Wire, page: Page, before: dict[str, str]) -> None:
    """Expect that every client has negotiated anew and receives as before."""
    seen = await page.events(2)
    for client, (reconnecting, reconnected) in seen.items():
        assert reconnecting["event"] == "reconnecting"
        assert reconnected["event"] == "reconnected"
        assert reconnected["connectionId"] != before[client]
        assert wire.member(reconnected["connectionId"])
    assert await wire.connection_counts() == {"chat": len(WAYS)}
    await wire.send("chat/", "again")
    await page.heard("again")


async def test_stateful_reconnect(wire: Wire) -> None:
    clients = ["WebSockets/json/stateful", "WebSockets/messagepack/stateful"]
    async with opened(wire, *clients) as (page, connection_ids):
        for turn in range(2):
            sent = [f"{turn}.{number}" for number in range(4)]
            await wire.send("chat/", sent[0])
            for connection_id in connection_ids.values():
                await wire.drop(connection_id)
            # Sent to clients that are away: nothing is lost, doubled or out of order.
            for text in sent[1:]:
                await wire.send("chat/", text)
            said = [{"event": "say", "arguments": [text]} for text in sent]
            assert await page.events(len(sent)) == dict.fromkeys(clients, said)
        await wire.send("chat/", "last")
        await page.heard("last")
        for connection_id in connection_ids.values():
            assert (await wire.invoke(connection_id, "double", 4)).json == {"result": 8}
