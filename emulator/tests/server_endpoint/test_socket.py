"""How messages share WebSocket messages on their way to an app server."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
from aiohttp import WSMsgType, web
from signalr_emulator.server_endpoint.socket import ServerSocket, server_response

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

    application = web.Application()
    application.router.add_get("/server/", serve)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/server/"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            for text in said:
                await socket.send_str(text)
            messages = []
            while (message := await socket.receive()).type is WSMsgType.BINARY:
                messages.append(message.data)
            return messages, socket.close_code
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
