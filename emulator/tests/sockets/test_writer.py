import asyncio
import socket as sockets
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trustme
from signalr_emulator.sockets.writer import SocketWriter

BOUND = 1_000_000
READER_LIMIT = 4096


class Writer(SocketWriter):
    """What a transport does with the writer it is made from."""

    def put(self, data: bytes) -> None:
        self._put(data)

    def stop(self) -> None:
        self._stop_writing()


class Counting(asyncio.Transport):
    """A socket's transport that counts what it is given to write."""

    def __init__(self, transport: asyncio.Transport, *, hides_socket: bool = False) -> None:
        super().__init__()
        self.writes = 0
        self._transport = transport
        self._hides_socket = hides_socket

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes += 1
        self._transport.write(data)

    def get_extra_info(self, name: str, default: object = None) -> object:
        if self._hides_socket and name == "socket":
            return default
        return self._transport.get_extra_info(name, default)

    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def abort(self) -> None:
        self._transport.abort()


@asynccontextmanager
async def connected(
    *, hides_socket: bool = False, bound: int = BOUND
) -> AsyncIterator[tuple[Writer, Counting, asyncio.StreamReader]]:
    """Connect a writer to a reader that reads no more than it is asked to."""
    ours, theirs = sockets.socketpair()
    for each in (ours, theirs):
        each.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, READER_LIMIT)
    reader, other = await asyncio.open_connection(sock=theirs, limit=READER_LIMIT)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    counting = Counting(transport, hides_socket=hides_socket)
    try:
        yield Writer(counting, bound, 0.2), counting, reader
    finally:
        transport.abort()
        other.transport.abort()
        # The transports close their sockets in the next turn of the event loop.
        await asyncio.sleep(0)


def messages(count: int) -> list[bytes]:
    return [b"%05d" % number * 200 for number in range(count)]


@pytest.mark.parametrize("hides_socket", [False, True])
async def test_nothing_is_lost_or_overtaken_when_the_socket_is_full(hides_socket: bool) -> None:
    sent = messages(400)
    async with connected(hides_socket=hides_socket) as (writer, transport, reader):
        for message in sent[:200]:
            writer.put(message)
        assert transport.get_write_buffer_size() > 0
        received = await reader.readexactly(100_000)
        # The socket takes data again here while older data still waits.
        for message in sent[200:]:
            writer.put(message)
            received += await reader.readexactly(500)
        received += await reader.readexactly(len(sent) * 1000 - len(received))
        assert received == b"".join(sent)


async def test_transport_is_left_out_while_nothing_waits() -> None:
    async with connected() as (writer, transport, reader):
        for message in messages(50):
            writer.put(message)
            assert await reader.readexactly(1000) == message
        assert transport.writes == 0


async def test_transport_is_left_out_again_once_nothing_waits() -> None:
    async with connected() as (writer, transport, reader):
        for message in messages(200):
            writer.put(message)
        await reader.readexactly(200_000)
        # What waits is measured now and then, not every time.
        for message in messages(300):
            writer.put(message)
            assert await reader.readexactly(1000) == message
        writes = transport.writes
        assert writes > 0
        for message in messages(50):
            writer.put(message)
            assert await reader.readexactly(1000) == message
        assert transport.writes == writes


async def test_slow_reader_is_bounded_and_gets_the_reason_last() -> None:
    async with connected(bound=100_000) as (writer, transport, reader):
        overflows: list[int] = []

        def overflow() -> None:
            overflows.append(transport.get_write_buffer_size())
            writer.put(b"too slow")
            writer.stop()

        writer.on_overflow(overflow)
        sent = messages(1000)
        for message in sent:
            writer.put(message)
        assert overflows == []
        await asyncio.sleep(0)
        (waiting,) = overflows
        assert 100_000 < waiting <= 101_000
        received = await reader.read()
        assert received.endswith(b"too slow")
        assert len(received) > waiting
        assert b"".join(sent).startswith(received.removesuffix(b"too slow"))


async def test_replaced_transport_does_not_overflow_any_more() -> None:
    async with connected(bound=1000) as (writer, _transport, _reader):
        overflows: list[None] = []
        writer.on_overflow(lambda: overflows.append(None))
        for message in messages(200):
            writer.put(message)
        writer.abort()
        await asyncio.sleep(0)
        assert overflows == []


async def test_reader_that_is_gone_ends_the_transport() -> None:
    async with connected() as (writer, transport, reader):
        reader._transport.abort()  # type: ignore[attr-defined]  # noqa: SLF001 - it has no public one
        await asyncio.sleep(0)
        for message in messages(3):
            writer.put(message)
        assert transport.is_closing()
        await asyncio.sleep(0)
        writer.put(b"into a closed socket")


async def test_encrypted_connection_stays_encrypted() -> None:
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(client)
    sent = messages(200)

    async def write(_reader: asyncio.StreamReader, stream: asyncio.StreamWriter) -> None:
        assert isinstance(stream.transport, asyncio.Transport)
        writer = Writer(stream.transport, BOUND, 0.05)
        for message in sent:
            writer.put(message)
        await stream.drain()
        stream.close()

    async with await asyncio.start_server(write, "localhost", 0, ssl=server) as listening:
        port = listening.sockets[0].getsockname()[1]
        reader, stream = await asyncio.open_connection("localhost", port, ssl=client)
        assert await reader.read() == b"".join(sent)
        stream.close()
        await stream.wait_closed()
