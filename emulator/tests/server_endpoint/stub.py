"""An app server of its bytes alone: it shares no code with the emulator, and does what it is told.

Messages are lists, as MessagePack has them. Maps that come are tuples of pairs, as one may have a
key twice.
"""

import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import aiohttp
import msgpack  # type: ignore[import-untyped]  # the package has no annotations

from emulator.tests.server_endpoint.recorded import said_by_server
from emulator.tests.wire import HANDSHAKE, HANDSHAKE_REPLY, Socket, Wire

__all__ = [
    "DEFAULT", "ON_DEMAND", "OPENED", "WEAK", "AppServer", "OpenedClient", "app_server",
    "ended", "framed", "greeted", "server_socket",
]  # fmt: skip

DEFAULT, ON_DEMAND, WEAK = 0, 1, 2
PING = [3]

OPENED: list[aiohttp.ClientWebSocketResponse[bool]] = []
"""WebSockets that the test has opened: one that nobody knows any more would be closed."""

GREETING = HANDSHAKE.encode()


def framed(*messages: list[Any]) -> bytes:
    """Write messages as they go over the wire, each behind its length."""
    written = b""
    for message in messages:
        body: bytes = msgpack.packb(message)
        length, size = bytearray(), len(body)
        while size > 0x7F:
            length.append(size & 0x7F | 0x80)
            size >>= 7
        written += bytes([*length, size]) + body
    return written


class AppServer:
    """One server connection, as the app server has it."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse[bool], server_id: str) -> None:
        self.ws = ws
        self.server_id = server_id
        self._received = bytearray()

    async def send(self, *messages: list[Any]) -> None:
        """Send messages in one WebSocket message."""
        await self.ws.send_bytes(framed(*messages))

    async def next(self) -> list[Any]:
        """Give the next message that is no plain ping."""
        while (message := await self.next_of_all()) == PING:
            continue
        return message

    async def next_of_all(self) -> list[Any]:
        """Give the next message."""
        while (body := self._cut()) is None:
            message = await self.ws.receive(timeout=10)
            assert message.type is aiohttp.WSMsgType.BINARY, message
            assert isinstance(message.data, bytes)
            self._received += message.data
        message = msgpack.unpackb(body, object_pairs_hook=tuple, strict_map_key=False)
        assert isinstance(message, list)
        return message

    async def ask(self, *message: Any) -> list[Any]:  # noqa: ANN401 - MessagePack
        """Send a message and give what comes next, which is its answer."""
        await self.send(list(message))
        return await self.next()

    async def synchronized(self) -> None:
        """Wait until all is carried out that was sent; nothing else may have come."""
        answer = await self.ask(3, "servers", "")
        assert answer[1] == "servers", answer

    async def client(
        self, wire: Wire, handshake: str = HANDSHAKE, *, hub: str = "chat", token: str | None = None
    ) -> aiohttp.ClientWebSocketResponse[bool]:
        """Open the WebSocket of a client, which stays open until the test ends, and greet."""
        ws = await wire.open(hub, token=token)
        OPENED.append(ws)
        await ws.send_str(handshake)
        return ws

    def cut(self) -> None:
        """End the TCP connection without a word."""
        self.ws.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    async def closed(self) -> int:
        """Wait for the Close frame, before which nothing may come, and give its status."""
        return await _close_status(self.ws)

    async def opened(self, connection_id: str | None = None) -> "OpenedClient":
        """Take a client, whose handshake comes with it."""
        opened = OpenedClient.of(await self.next())
        assert connection_id in {None, opened.connection_id}
        kind, of, handshake, _extensions = await self.next()
        assert (kind, of) == (6, opened.connection_id)
        opened.handshake = handshake
        return opened

    async def accept(self) -> "OpenedClient":
        """Take a client, and answer its handshake as a hub does that speaks what it asks for."""
        opened = await self.opened()
        await self.send([6, opened.connection_id, b"{}\x1e", {5: 1}])
        return opened

    def _cut(self) -> bytes | None:
        """Cut off the first body, if it is complete."""
        length = 0
        for at, byte in enumerate(self._received):
            length |= (byte & 0x7F) << 7 * at
            if byte < 0x80:
                end = at + 1 + length
                if len(self._received) < end:
                    return None
                body = bytes(self._received[at + 1 : end])
                del self._received[:end]
                return body
        return None


class OpenedClient:
    """What an app server is told of a client."""

    def __init__(
        self,
        connection_id: str,
        claims: tuple[tuple[str, str], ...],
        headers: Mapping[str, list[str]],
        query: str,
        protocol: str | None,
    ) -> None:
        self.connection_id = connection_id
        self.claims = claims
        self.headers = headers
        self.query = query
        self.protocol = protocol
        self.handshake = b""

    @classmethod
    def of(cls, message: list[Any]) -> Self:
        """Read an OpenConnection."""
        kind, connection_id, claims, headers, query, extensions = message
        assert kind == 4, message
        return cls(connection_id, claims, dict(headers), query, dict(extensions).get(3))


async def server_socket(
    wire: Wire,
    *,
    hub: str = "chat",
    token: str | None = None,
    server_id: str | None = None,
    query: str = "",
    url: str | None = None,
) -> aiohttp.ClientWebSocketResponse[bool]:
    """Open the WebSocket of a server connection as the SDK does.

    Args:
        wire: The emulator.
        hub: The hub, with its application's prefix if it has one.
        token: Proves who it is; an Entra token if None.
        server_id: The process; one of its own if None.
        query: More of the query.
        url: The service; the first if None.
    """
    ws = await wire.session.ws_connect(
        f"{url or wire.emulator.service_url}/server/?hub={hub}&cid={secrets.token_hex(8)}{query}",
        headers={
            "Authorization": f"Bearer {token or await wire.entra_token()}",
            "X-ASRS-Server-Id": server_id or secrets.token_hex(8),
            "Asrs-User-Agent": "Microsoft.Azure.SignalR/1.34.0",
            "X-Requested-With": "XMLHttpRequest",
        },
        max_msg_size=0,
    )
    OPENED.append(ws)
    return ws


@asynccontextmanager
async def app_server(
    wire: Wire,
    kind: int = DEFAULT,
    *,
    hub: str = "chat",
    server_id: str | None = None,
    migration_level: int = 0,
    query: str = "",
    url: str | None = None,
) -> AsyncIterator[AppServer]:
    """Run a server connection whose handshake is done.

    Args:
        wire: The emulator.
        kind: What it is for.
        hub: As for `server_socket`.
        server_id: The process; one of its own if None.
        migration_level: When its clients may move to another server.
        query: As for `server_socket`.
        url: As for `server_socket`.
    """
    server_id = server_id or secrets.token_hex(8)
    ws = await server_socket(wire, hub=hub, server_id=server_id, query=query, url=url)
    server = AppServer(ws, server_id)
    [handshake] = said_by_server("server handshake")
    handshake[2], handshake[4] = kind, migration_level
    await server.send(handshake)
    # Before its answer an SDK takes nothing else, not even a ping.
    answer, error, extensions, connection_id = await server.next_of_all()
    assert (answer, error, extensions) == (2, "", ())
    assert connection_id
    yield server
    await ws.close()


async def greeted(
    wire: Wire, server: AppServer, *, hub: str = "chat", user: str | None = None
) -> Socket:
    """Give a JSON client with a WebSocket, whose handshake its app server has answered.

    Args:
        wire: The emulator.
        server: Which server connection gets it.
        hub: Name of the hub.
        user: Who it is.
    """
    token = await wire.client_token(hub, **{"asrs.s.uid": user, "asrs.s.sn": server.server_id})
    ws = await server.client(wire, hub=hub, token=token)
    opened = await server.accept()
    client = Socket(ws, opened.connection_id)
    assert await client.text() == HANDSHAKE_REPLY
    return client


async def ended(client: Socket) -> int:
    """Wait for the Close frame of a client's WebSocket, and give its status."""
    return await _close_status(client.ws)


async def _close_status(ws: aiohttp.ClientWebSocketResponse[bool]) -> int:
    message = await ws.receive(timeout=10)
    assert message.type is aiohttp.WSMsgType.CLOSE, message
    assert isinstance(message.data, int)
    return message.data
