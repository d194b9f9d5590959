import asyncio
import json
import socket as sockets
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from signalr_emulator import Clock, Config, running
from signalr_emulator.entra.tenant import SigningKey
from signalr_emulator.transports.timing import Timing

from emulator.tests.conftest import StartWire
from emulator.tests.wire import HANDSHAKE, HANDSHAKE_REPLY, Socket, Wire, said


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while not await condition():
            continue


def greeting(token: str) -> bytes:
    """Give what a client sends first that has no library."""
    handshake = HANDSHAKE.encode()
    return (
        f"GET /client/?hub=chat&access_token={token} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        + bytes([0x81, 0x80 | len(handshake), 0, 0, 0, 0])
        + handshake
    )


async def other_is_cut(wire: Wire, fast: Socket) -> None:
    """Send to two clients, of whom one reads, until the other one is gone."""

    async def both() -> bool:
        return await wire.connection_counts() == {"chat": 2}

    async def one() -> bool:
        await wire.send("chat/", "x" * 500_000)
        assert await fast.text() == said("x" * 500_000)
        return await wire.connection_counts() == {"chat": 1}

    await until(both)
    await until(one)


async def read_all(socket: Socket) -> list[object]:
    return [message.data async for message in socket.ws]


async def test_wrong_protocol(wire: Wire) -> None:
    socket = Socket(await wire.open(), "unknown")
    await socket.ws.send_str('{"protocol":"xml","version":1}\x1e')
    assert await socket.text() == ('{"error":"The protocol \'xml\' is not supported."}\x1e')
    assert await socket.closed() == 1000


async def test_several_messages_in_a_frame_and_a_message_in_several_frames(wire: Wire) -> None:
    socket = Socket(await wire.open(), "unknown")
    invocation = '{"type":1,"invocationId":"%s","target":"t","arguments":[]}\x1e'
    first, second = invocation % "1", invocation % "2"
    await socket.ws.send_str(HANDSHAKE + '{"type":6}\x1e' + first + second[:9])
    await socket.ws.send_bytes(second[9:].encode())
    assert await socket.text() == HANDSHAKE_REPLY
    for invocation_id in ("1", "2"):
        completion = json.loads((await socket.text()).removesuffix("\x1e"))
        assert completion["type"] == 3
        assert completion["invocationId"] == invocation_id
        assert "No upstream is configured" in completion["error"]


async def test_invocation_without_id_is_ignored(wire: Wire) -> None:
    socket = await wire.connect()
    await socket.ws.send_str('{"type":1,"target":"t","arguments":[]}\x1e')
    await socket.ws.send_str('{"type":4,"invocationId":"9","target":"t","arguments":[]}\x1e')
    completion = json.loads((await socket.text()).removesuffix("\x1e"))
    assert completion["invocationId"] == "9"
    assert "No upstream is configured" in completion["error"]


async def test_malformed_message_closes(wire: Wire) -> None:
    socket = await wire.connect()
    await socket.ws.send_str("hello\x1e")
    close = json.loads((await socket.text()).removesuffix("\x1e"))
    error = "A message is not valid JSON in UTF-8."
    assert close == {"type": 7, "error": error, "allowReconnect": True}
    assert await socket.closed() == 1000
    assert await wire.connection_counts() == {}


async def test_close_of_the_client(wire: Wire) -> None:
    socket = await wire.connect()
    await socket.ws.send_str('{"type":7}\x1e')
    assert await socket.closed() == 1000


@pytest.mark.parametrize("way", ["close", "abort"])
async def test_client_that_goes_away(wire: Wire, way: str) -> None:
    socket = await wire.connect(user="ann")
    assert await wire.connection_counts() == {"chat": 1}
    if way == "close":
        await socket.ws.close()
    else:
        transport = socket.ws.get_extra_info("socket")
        transport.shutdown(sockets.SHUT_RDWR)

    async def gone() -> bool:
        return await wire.connection_counts() == {}

    await until(gone)
    assert (await wire.send("chat/users/ann/", "hi")).status == 202


async def test_timers_run(start: StartWire) -> None:
    timing = Timing(handshake=0.05, keep_alive=0.02, client_timeout=0.1)
    async with start(Config(service_port=0, control_port=0, timing=timing)) as wire:
        silent = Socket(await wire.open(), "unknown")
        assert json.loads((await silent.text()).removesuffix("\x1e")) == {
            "error": "The handshake did not come within 0.05 seconds."
        }
        assert await silent.closed() == 1000
        socket = await wire.connect()
        texts = [await socket.text()]
        while texts[-1] == '{"type":6}\x1e':
            texts.append(await socket.text())
        assert len(texts) > 2
        assert texts[-1] == '{"type":7,"allowReconnect":true}\x1e'
        assert await socket.closed() == 1000


async def test_slow_client_is_cut_and_the_others_go_on(start: StartWire) -> None:
    config = Config(service_port=0, control_port=0, max_write_buffer=100_000)
    async with start(config) as wire:
        fast = await wire.connect()
        token = await wire.client_token()
        host, port = wire.emulator.service_url.removeprefix("http://").split(":")
        slow = sockets.socket()
        slow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        slow.setblocking(False)
        with slow:
            await asyncio.get_running_loop().sock_connect(slow, (host, int(port)))
            slow.send(greeting(token))
            await other_is_cut(wire, fast)


async def test_stopping_tells_the_clients(signing_key: SigningKey, clock: Clock) -> None:
    config = Config(service_port=0, control_port=0)
    async with aiohttp.ClientSession() as session:
        async with running(config, clock=clock, signing_key=signing_key) as emulator:
            socket = await Wire(emulator, session).connect()
            # The client reads while the emulator stops, as it has to answer the closing handshake.
            reading = asyncio.create_task(read_all(socket))
        assert await reading == ['{"type":7,"allowReconnect":true}\x1e']


async def test_pings_are_answered_among_messages(wire: Wire) -> None:
    token = await wire.client_token()
    url = f"{wire.emulator.service_url}/client/?hub=chat&access_token={token}"
    async with wire.session.ws_connect(url, autoping=False) as ws:
        await ws.send_str(HANDSHAKE)
        assert (await ws.receive(timeout=5)).data == HANDSHAKE_REPLY
        await wire.send("chat/", "before")
        await ws.ping(b"are you there?")
        await ws.pong(b"unasked")
        assert (await ws.receive(timeout=5)).data == said("before")
        pong = await ws.receive(timeout=5)
        assert (pong.type, pong.data) == (aiohttp.WSMsgType.PONG, b"are you there?")
        await wire.send("chat/", "after")
        assert (await ws.receive(timeout=5)).data == said("after")
