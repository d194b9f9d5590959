"""How messages share WebSocket messages on their way to an app server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
from aiohttp import WSMsgType, web
from signalr_emulator.server_endpoint.socket import ServerSocket, server_response

UPGRADE = (
    b"GET /server/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

type Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]
type Speak = Callable[[ServerSocket], Awaitable[None]]


async def heard(speak: Speak, *said: str) -> tuple[list[bytes], int | None]:
    """Give the WebSocket messages that an app server gets, and the code that closes it.

    Args:
        speak: What the service does before it reads.
        said: Texts that the app server sends first.
    """

    async def serve(request: web.Request) -> web.StreamResponse:
        response = server_response()
        await response.prepare(request)
        assert request.transport is not None
        served = ServerSocket(response, request, request.transport)
        await speak(served)
        await served.receive_all(ignore)
        await served.closed()
        return response

    async with (
        serving(serve) as url,
        aiohttp.ClientSession() as session,
        session.ws_connect(url) as socket,
    ):
        for text in said:
            await socket.send_str(text)
        messages = []
        while (message := await socket.receive()).type is WSMsgType.BINARY:
            messages.append(message.data)
        return messages, socket.close_code


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    """Let app servers connect, and give the URL."""
    application = web.Application()
    application.router.add_get("/server/", serve)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/server/"
    finally:
        await runner.cleanup()


async def ignore(_data: bytes) -> None:
    """Take what an app server says."""


def test_what_is_written_in_one_turn_of_the_loop_comes_in_one_message_and_in_order() -> None:
    async def speak(socket: ServerSocket) -> None:
        for letter in b"abc":
            socket.write(bytes((letter,)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        socket.write(b"d")
        socket.close()

    assert asyncio.run(heard(speak)) == ([b"abc", b"d"], 1000)


def test_much_does_not_wait_for_the_end_of_the_turn() -> None:
    async def speak(socket: ServerSocket) -> None:
        for _ in range(5):
            socket.write(bytes(32 * 1024))
        socket.close()

    messages, _ = asyncio.run(heard(speak))
    assert list(map(len, messages)) == [64 * 1024, 64 * 1024, 32 * 1024]


def test_nothing_follows_the_end() -> None:
    async def speak(socket: ServerSocket) -> None:
        socket.write(b"before")

    assert asyncio.run(heard(speak, "a text")) == ([b"before"], 1003)


def test_much_that_waits_for_the_turn_to_end_leaves_no_room() -> None:
    async def speak(socket: ServerSocket) -> None:
        socket.write(b"")
        await asyncio.sleep(0)
        assert socket.has_room
        # The app server reads nothing meanwhile: its turn comes with the next one of the loop.
        for _ in range(16):
            socket.write(bytes(1024 * 1024))
        assert not socket.has_room
        socket.close()

    messages, code = asyncio.run(heard(speak))
    assert sum(map(len, messages)) == 16 * 1024 * 1024
    assert code == 1000


def test_who_is_in_the_middle_of_something_reads_all_of_the_end() -> None:
    """The connection stays until the server has answered to the Close."""

    async def run() -> None:
        async def serve(request: web.Request) -> web.StreamResponse:
            response = server_response()
            await response.prepare(request)
            assert request.transport is not None
            served = ServerSocket(response, request, request.transport)
            served.write(b"the reason")
            served.close()
            await served.receive_all(ignore)
            await served.closed()
            return response

        async with serving(serve) as url:
            reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
            writer.write(UPGRADE)
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(16) == b"\x82\x0athe reason\x88\x02\x03\xe8"
            for _ in range(100):  # time enough to end the connection
                await asyncio.sleep(0)
            assert not reader.at_eof()
            writer.write(b"\x88\x82\x00\x00\x00\x00\x03\xe8")
            async with asyncio.timeout(5):
                assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()

    asyncio.run(run())
