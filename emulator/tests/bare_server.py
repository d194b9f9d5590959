"""An app server without a library: one server connection, message by message."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from signalr_emulator.service_protocol.codec import message_reader, read, write
from signalr_emulator.service_protocol.messages import (
    ConnectionData,
    ConnectionKind,
    HandshakeRequest,
    HandshakeResponse,
    OpenConnection,
    Ping,
)
from signalr_emulator.service_protocol.table import Message

from emulator.tests.wire import HANDSHAKE_REPLY, Socket, Wire

PLAIN_PING = Ping()


class BareServer:
    """A server connection that has been opened."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse[bool]) -> None:
        self.ws = ws
        self._reader = message_reader()
        self._bodies: list[bytes] = []

    async def send(self, *messages: Message) -> None:
        await self.ws.send_bytes(b"".join(map(write, messages)))

    async def receive(self) -> Message | None:
        """Give what the service says next, but for plain pings; None at the end."""
        while True:
            while not self._bodies:
                frame = await self.ws.receive(timeout=5)
                if frame.type is not aiohttp.WSMsgType.BINARY:
                    return None
                self._bodies += self._reader.feed(frame.data)
            message = read(self._bodies.pop(0))
            if message != PLAIN_PING:
                return message

    async def shake_hands(
        self, kind: ConnectionKind = ConnectionKind.DEFAULT, migration_level: int = 0
    ) -> str | None:
        """Say what the connection is for, and give the text of a refusal or nothing."""
        await self.send(HandshakeRequest(1, kind, migration_level=migration_level))
        answer = await self.receive()
        assert isinstance(answer, HandshakeResponse), answer
        return answer.error

    async def take_client(self) -> OpenConnection:
        """Take the next client, and say yes to its handshake."""
        opened, greeting = await self.receive(), await self.receive()
        assert isinstance(opened, OpenConnection), opened
        assert isinstance(greeting, ConnectionData), greeting
        await self.send(ConnectionData(opened.connection_id, HANDSHAKE_REPLY.encode()))
        return opened


@asynccontextmanager
async def server_socket(
    wire: Wire, hub: str = "chat", *, cid: str = "cid-1", server: str = "server-1"
) -> AsyncIterator[BareServer]:
    """Open the WebSocket of a server connection as an app with managed identity does."""
    async with wire.session.ws_connect(
        f"{wire.emulator.service_url}/server/?hub={hub}&cid={cid}",
        headers={
            "Authorization": f"Bearer {await wire.entra_token()}",
            "X-ASRS-Server-Id": server,
        },
    ) as ws:
        yield BareServer(ws)


@asynccontextmanager
async def app_server(
    wire: Wire,
    hub: str = "chat",
    *,
    cid: str = "cid-1",
    server: str = "server-1",
    kind: ConnectionKind = ConnectionKind.DEFAULT,
    migration_level: int = 0,
) -> AsyncIterator[BareServer]:
    """Run a server connection whose handshake is done."""
    async with server_socket(wire, hub, cid=cid, server=server) as connected:
        assert not await connected.shake_hands(kind, migration_level)
        yield connected


@asynccontextmanager
async def client_of(
    wire: Wire, server: BareServer, user: str | None = None
) -> AsyncIterator[tuple[Socket, OpenConnection]]:
    """Run a client, which the server takes."""
    connecting = asyncio.create_task(wire.connect(user=user))
    opened = await server.take_client()
    client = await connecting
    yield client, opened
    await client.ws.close()
