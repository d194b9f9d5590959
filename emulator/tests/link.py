"""A client without a library: a negotiated connection, request by request, over any transport."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import aiohttp
from signalr_emulator.documents.json_text import Json

from emulator.tests.wire import HANDSHAKE, HANDSHAKE_REPLY, Answer, Wire

SSE = {"Accept": "text/event-stream"}
END = b"\r\n\r\n"
"""What ends an event: .NET clients up to version 8 take lines that end with CR LF only."""

WEB_SOCKETS, SERVER_SENT_EVENTS, LONG_POLLING = "WebSockets", "ServerSentEvents", "LongPolling"
TRANSPORTS = (WEB_SOCKETS, SERVER_SENT_EVENTS, LONG_POLLING)


class Channel(NamedTuple):
    """A client that has shaken hands.

    Attributes:
        receive: Gives what comes next, or nothing at the end of the connection.
        send: Sends messages with the token that the link has by then.
    """

    receive: Callable[[], Awaitable[str]]
    send: Callable[[str], Awaitable[object]]


class Link:
    """A negotiated connection."""

    def __init__(self, wire: Wire, token: str, connection_token: str, connection_id: str) -> None:
        self.wire = wire
        self.token = token
        self.connection_token = connection_token
        self.connection_id = connection_id
        self.url = f"{wire.emulator.service_url}/client/?hub=chat&id={connection_token}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def request(
        self, method: str, data: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        return await self.wire.request(
            method, self.url, headers=self.headers | (headers or {}), data=data
        )

    async def poll(self) -> tuple[int, str]:
        answer = await self.request("GET")
        return answer.status, answer.body.decode()

    @asynccontextmanager
    async def events(self) -> AsyncIterator[aiohttp.StreamReader]:
        async with self.wire.session.get(self.url, headers=self.headers | SSE) as response:
            assert response.status == 200
            assert response.content_type == "text/event-stream"
            assert await response.content.readuntil(END) == b":" + END
            yield response.content

    @asynccontextmanager
    async def connected(self, transport: str) -> AsyncIterator[Channel]:
        """Connect by a transport and shake hands."""
        if transport == WEB_SOCKETS:
            ws = await self.wire.session.ws_connect(self.url, headers=self.headers)
            await ws.send_str(HANDSHAKE)
            assert await _message(ws) == HANDSHAKE_REPLY
            yield Channel(lambda: _message(ws), ws.send_str)
            await ws.close()
        elif transport == SERVER_SENT_EVENTS:
            async with self.events() as events:
                await self._post(HANDSHAKE)
                assert await _event(events) == HANDSHAKE_REPLY
                yield Channel(lambda: _event(events), self._post)
        else:
            assert await self.poll() == (200, "")
            await self._post(HANDSHAKE)
            assert await self.poll() == (200, HANDSHAKE_REPLY)
            yield Channel(self._news, self._post)

    async def _post(self, text: str) -> None:
        assert (await self.request("POST", text.encode())).status == 200

    async def _news(self) -> str:
        status, text = await self.poll()
        assert (status == 204) is (not text)
        return text


async def negotiated(wire: Wire, **claims: Json) -> Link:
    token = await wire.client_token("chat", **claims)
    reply = (await wire.negotiate(token=token)).json
    return Link(wire, token, reply["connectionToken"], reply["connectionId"])


async def polling(wire: Wire, **claims: Json) -> Link:
    link = await negotiated(wire, **claims)
    async with link.connected(LONG_POLLING):
        return link


async def _message(ws: aiohttp.ClientWebSocketResponse[bool]) -> str:
    message = await ws.receive(timeout=5)
    return message.data if message.type is aiohttp.WSMsgType.TEXT else ""


async def _event(events: aiohttp.StreamReader) -> str:
    async with asyncio.timeout(5):
        event = await events.readuntil(END)
    return event.removeprefix(b"data: ").removesuffix(END).decode()
