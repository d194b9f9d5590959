"""One WebSocket on a socket, told byte by byte what the other side does."""

import asyncio
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from signalr_emulator.errors import WebSocketError
from signalr_emulator.websocket.connection import WebSocketConnection
from signalr_emulator.websocket.frames import text_frame

from emulator.tests.websocket.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    closing,
    frame,
)

MAX_MESSAGE = 100_000
NORMAL = b"\x88\x02\x03\xe8"
LINGER = 0.2
NEVER = 3600.0


@dataclass(eq=False)
class Log:
    """What a connection has told, in order; messages named `stop` pause it."""

    told: list[tuple[bytes, bool] | Exception | None] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    last_words: bytes = b""
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def of(self, count: int) -> list[tuple[bytes, bool] | Exception | None]:
        async with asyncio.timeout(5):
            while len(self.told) < count:
                self.news.clear()
                await self.news.wait()
        return self.told


class Connection(WebSocketConnection):
    def __init__(self, log: Log, transport: asyncio.Transport, linger: float) -> None:
        super().__init__(transport, MAX_MESSAGE, 1_000_000, linger)
        self.log = log

    def received(self, payload: bytes, *, is_text: bool) -> None:
        self._tell((payload, is_text))
        if payload == b"stop":
            self.pause_reading()

    def ended(self, error: Exception | None) -> None:
        if self.log.last_words:
            self._put(self.log.last_words)
        self._tell(error)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.log.closed.set()

    def say(self, text: str) -> None:
        self._put(text_frame(text.encode()))

    def _tell(self, what: tuple[bytes, bool] | Exception | None) -> None:
        self.log.told.append(what)
        self.log.news.set()


@asynccontextmanager
async def connected(
    *, linger: float = NEVER
) -> AsyncIterator[tuple[Connection, asyncio.StreamReader, asyncio.StreamWriter]]:
    ours, theirs = sockets.socketpair()
    reader, writer = await asyncio.open_connection(sock=theirs)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    connection = Connection(Log(), transport, linger)
    transport.set_protocol(connection)
    try:
        yield connection, reader, writer
    finally:
        transport.abort()
        writer.transport.abort()
        await asyncio.sleep(0)


async def turns() -> None:
    """Let the event loop read whatever it would read."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_messages_and_pings() -> None:
    async with connected() as (connection, reader, writer):
        writer.write(frame(TEXT, b"a", final=False) + frame(PING, b"there?"))
        assert await reader.readexactly(8) == b"\x8a\x06there?"
        writer.write(frame(CONTINUATION, b"b") + frame(PONG, b"unasked") + frame(BINARY, b"\xff"))
        assert await connection.log.of(2) == [(b"ab", True), (b"\xff", False)]
        connection.say("c")
        assert await reader.readexactly(3) == b"\x81\x01c"


@pytest.mark.parametrize("close", [frame(CLOSE), closing(1001, b"away"), closing(4000)])
async def test_the_other_side_closes(close: bytes) -> None:
    async with connected() as (connection, reader, writer):
        writer.write(frame(TEXT, b"last") + close + frame(TEXT, b"too late"))
        # The server closes the socket first (7.1.1).
        assert await reader.read() == NORMAL
        assert connection.log.told == [(b"last", True), None]


async def test_this_side_closes() -> None:
    async with connected() as (connection, reader, writer):
        connection.say("a")
        connection.close()
        connection.say("too late")
        assert await reader.readexactly(3 + len(NORMAL)) == b"\x81\x01a" + NORMAL
        writer.write(frame(TEXT, b"unheard") + frame(PING) + closing(1000))
        assert await reader.read() == b""
        assert connection.log.told == [None]


async def test_who_does_not_answer_is_cut() -> None:
    async with connected(linger=LINGER) as (connection, reader, writer):
        connection.close()
        writer.write(frame(TEXT, b"unheard"))
        assert await reader.read() == NORMAL
        (error,) = await connection.log.of(1)
        assert isinstance(error, ConnectionError)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\x81\x05Hello", 1002),
        (frame(TEXT, b"\xff"), 1007),
        (b"\x82\xff" + (MAX_MESSAGE + 1).to_bytes(8), 1009),
    ],
)
async def test_what_is_refused(sent: bytes, code: int) -> None:
    async with connected() as (connection, reader, writer):
        connection.log.last_words = b"\x81\x03why"
        # Much more is coming, which would reset a connection that nobody reads.
        writer.write(frame(TEXT, b"good") + sent + bytes(2_000_000))
        assert await reader.read() == b"\x81\x03why\x88\x02" + code.to_bytes(2)
        await writer.drain()
        good, error = connection.log.told
        assert good == (b"good", True)
        assert isinstance(error, WebSocketError)
        assert error.code == code
        # When all of it was read and the other side has closed, so does this one.
        writer.write_eof()
        await connection.log.closed.wait()
        assert len(connection.log.told) == 2


@pytest.mark.parametrize("way", ["end", "abort"])
async def test_a_connection_that_breaks(way: str) -> None:
    async with connected() as (connection, _reader, writer):
        writer.write(frame(TEXT, b"a", final=False))
        if way == "end":
            writer.write_eof()
        else:
            writer.transport.abort()
        (error,) = await connection.log.of(1)
        assert isinstance(error, ConnectionError)
        connection.say("into a closed socket")


async def test_nothing_is_read_while_reading_is_paused() -> None:
    async with connected() as (connection, reader, writer):
        # What came in the same read as the message that pauses waits as well.
        writer.write(frame(TEXT, b"stop") + frame(PING, b"1") + frame(TEXT, b"stop"))
        await connection.log.of(1)
        writer.write(frame(TEXT, b"later") + frame(PING, b"2"))
        await turns()
        assert connection.log.told == [(b"stop", True)]
        connection.resume_reading()
        assert await reader.readexactly(3) == b"\x8a\x011"
        assert connection.log.told == [(b"stop", True)] * 2
        await turns()
        assert connection.log.told == [(b"stop", True)] * 2
        connection.resume_reading()
        assert await reader.readexactly(3) == b"\x8a\x012"
        assert connection.log.told[2:] == [(b"later", True)]


async def test_who_is_not_read_can_be_closed() -> None:
    async with connected() as (connection, reader, writer):
        writer.write(frame(TEXT, b"stop") + frame(TEXT, b"unheard"))
        await connection.log.of(1)
        connection.close()
        writer.write(closing(1000))
        assert await reader.read() == NORMAL
        assert connection.log.told == [(b"stop", True), None]


async def test_what_breaks_the_protocol_after_this_side_has_closed() -> None:
    async with connected(linger=LINGER) as (connection, reader, writer):
        connection.close()
        writer.write(b"\x81\x05Hello" + bytes(1_000_000))
        assert await reader.read() == NORMAL
        (error,) = await connection.log.of(1)
        assert isinstance(error, WebSocketError)
