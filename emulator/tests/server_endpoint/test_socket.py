"""How messages share WebSocket messages on their way to an app server, and who is held back."""

import asyncio
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from signalr_emulator.server_endpoint.socket import ServerSocket

from emulator.tests.websocket.frames import BINARY, TEXT, closing, frame

CLOSE = b"\x88\x02\x03\xe8"
MIB = 1024 * 1024


class AppServer:
    """The other side of a socket: what it reads, and what the service has heard."""

    def __init__(self, served: ServerSocket, reader: asyncio.StreamReader) -> None:
        self.served = served
        self.reader = reader
        self.heard: list[bytes] = []
        self.ends = 0
        served.listen(self.heard.append, self._end)

    async def messages(self, count: int) -> list[bytes]:
        """Give messages that are shorter than 64 KiB, or of 64 KiB exactly."""
        return [await self._message() for _ in range(count)]

    async def _message(self) -> bytes:
        first, length = await self.reader.readexactly(2)
        assert first == 0x82
        if length > 125:
            length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8))
        return await self.reader.readexactly(length)

    def _end(self) -> None:
        self.ends += 1


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[ServerSocket, AppServer, asyncio.StreamWriter]]:
    ours, theirs = sockets.socketpair()
    reader, writer = await asyncio.open_connection(sock=theirs)
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
    served = ServerSocket(transport)
    transport.set_protocol(served)
    try:
        yield served, AppServer(served, reader), writer
    finally:
        transport.abort()
        writer.transport.abort()
        await asyncio.sleep(0)


async def test_what_is_written_in_one_turn_of_the_loop_comes_in_one_message_and_in_order() -> None:
    async with connected() as (served, server, _):
        for letter in b"abc":
            served.write(bytes((letter,)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        served.write(b"d")
        served.close()
        assert await server.messages(2) == [b"abc", b"d"]
        assert await server.reader.readexactly(4) == CLOSE


async def test_much_does_not_wait_for_the_end_of_the_turn() -> None:
    async with connected() as (served, server, _):
        for _ in range(5):
            served.write(bytes(32 * 1024))
        served.close()
        sizes = [64 * 1024, 64 * 1024, 32 * 1024]
        assert list(map(len, await server.messages(3))) == sizes


async def test_nothing_follows_the_end() -> None:
    async with connected() as (served, server, writer):
        served.write(b"before")
        writer.write(frame(TEXT, b"a text") + frame(BINARY, b"behind it"))
        assert await server.messages(1) == [b"before"]
        assert await server.reader.readexactly(4) == b"\x88\x02\x03\xeb"
        served.write(b"after")
        assert await server.reader.read() == b""
        assert (server.heard, server.ends) == ([], 1)


async def test_much_that_waits_leaves_no_room_until_it_is_read() -> None:
    async with connected() as (served, server, _):
        served.write(b"")
        await asyncio.sleep(0)
        assert served.has_room
        # The app server reads nothing meanwhile: its turn comes with the next one of the loop.
        for _ in range(16):
            served.write(bytes(MIB))
        assert not served.has_room
        waiting = asyncio.create_task(served.room())
        await asyncio.sleep(0)
        assert not waiting.done()
        assert list(map(len, await server.messages(17))) == [0, *[MIB] * 16]
        async with asyncio.timeout(5):
            await waiting
        assert served.has_room


async def test_nobody_waits_for_room_in_a_socket_that_is_gone() -> None:
    async with connected() as (served, server, _):
        for _ in range(16):
            served.write(bytes(MIB))
        waiting = asyncio.create_task(served.room())
        await asyncio.sleep(0)
        assert not waiting.done()
        served.abort()
        async with asyncio.timeout(5):
            await waiting
        assert server.ends == 1


async def test_who_is_in_the_middle_of_something_reads_all_of_the_end() -> None:
    """The connection stays until the server has answered to the Close."""
    async with connected() as (served, server, writer):
        served.write(b"the reason")
        served.close()
        assert await server.messages(1) == [b"the reason"]
        assert await server.reader.readexactly(4) == CLOSE
        for _ in range(100):  # time enough to end the connection
            await asyncio.sleep(0)
        assert not server.reader.at_eof()
        writer.write(frame(BINARY, b"what was under way") + closing(1000))
        async with asyncio.timeout(5):
            assert await server.reader.read() == b""
        assert (server.heard, server.ends) == ([], 1)
