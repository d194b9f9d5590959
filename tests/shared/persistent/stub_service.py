"""A real WebSocket server that speaks the service's side of server connections by a script.

It answers as recordings of an app server with Microsoft.Azure.SignalR 1.34.0 show it: the handshake
first, pings, and an ack for each request.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from shared.service_protocol.codec import Frames, read, write
from shared.service_protocol.messages import (
    Ack,
    HandshakeRequest,
    HandshakeResponse,
    Message,
    Ping,
)

type Answer = Callable[[Message], Message | tuple[Message, ...] | None]


def acknowledged(message: Message) -> Message | None:
    """Answer each request that it is done."""
    ack_id = getattr(message, "ack_id", None)
    return None if ack_id is None else Ack(ack_id=ack_id, status=1)


@dataclass
class Line:
    """A server connection, seen by the service."""

    socket: ServerConnection
    path: str
    headers: Headers
    handshake: HandshakeRequest | None = None

    async def say(self, *messages: Message) -> None:
        await self.socket.send(b"".join(write(each) for each in messages))

    def cut(self) -> None:
        """End it as a cable does that is pulled out."""
        self.socket.transport.abort()

    def stop_reading(self) -> None:
        """Take nothing from the socket any more."""
        self.socket.transport.pause_reading()

    def read_on(self) -> None:
        """Take what comes again."""
        self.socket.transport.resume_reading()


@dataclass
class StubService:
    """What has come, and what is answered.

    Args:
        answer: Gives the answer to a message, or several that come at once, if there is one.
        refusals: Statuses that refuse the next WebSockets, in turn.
        welcome: Answers a handshake; `None` says nothing.
    """

    answer: Answer = acknowledged
    refusals: list[int] = field(default_factory=list)
    location: str = ""
    welcome: HandshakeResponse | None = field(
        default_factory=lambda: HandshakeResponse(error="", connection_id="line")
    )
    url: str = ""
    lines: list[Line] = field(default_factory=list)
    attempts: list[Request] = field(default_factory=list)
    received: list[Message] = field(default_factory=list)
    loop: asyncio.AbstractEventLoop | None = None
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def soon(self, do: Callable[[], object]) -> None:
        """Do something on the event loop that it serves on, from another thread."""
        assert self.loop is not None
        self.loop.call_soon_threadsafe(do)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds of what has come."""
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(holds)

    async def heard[M: Message](self, kind: type[M], count: int = 1) -> list[M]:
        """Wait for messages of a kind, and return all of them."""
        await self.until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)

    def of[M: Message](self, kind: type[M]) -> list[M]:
        return [each for each in self.received if isinstance(each, kind)]

    async def admit(self, _: ServerConnection, request: Request) -> Response | None:
        self.attempts.append(request)
        await self.tell()
        if not self.refusals:
            return None
        status = self.refusals.pop(0)
        headers = Headers({"Content-Length": "0", "Connection": "close"})
        if self.location:
            headers["Location"] = self.location
        return Response(status, "Refused", headers)

    async def tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def serve(self, socket: ServerConnection) -> None:
        request = socket.request
        assert request is not None
        line = Line(socket, request.path, request.headers)
        frames = Frames()
        try:
            async for data in socket:
                assert isinstance(data, bytes)
                for body in frames.feed(data):
                    await self.take(line, read(body))
        except ConnectionClosed:
            pass
        finally:
            await self.tell()

    async def take(self, line: Line, message: Message | None) -> None:
        assert message is not None
        if isinstance(message, HandshakeRequest):
            line.handshake = message
            self.lines.append(line)
            if self.welcome is not None:
                await line.say(self.welcome)
        elif not isinstance(message, Ping):
            self.received.append(message)
            answer = self.answer(message)
            if answer is not None:
                await line.say(*answer if isinstance(answer, tuple) else (answer,))
        await self.tell()


@asynccontextmanager
async def stub_service(
    stub: StubService | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[StubService]:
    """Serve on a free port of this machine until the end of the block."""
    served = stub or StubService()
    async with serve(
        served.serve, "127.0.0.1", 0, process_request=served.admit, compression=None, max_size=None,
        ping_interval=None, close_timeout=1, ssl=tls,
    ) as server:  # fmt: skip
        port = server.sockets[0].getsockname()[1]
        served.loop = asyncio.get_running_loop()
        served.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        yield served
