"""What a client calls with reaches the upstream as it was sent, whatever and however long it is."""

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from signalr_emulator.upstream.settings import parse_template

from emulator.tests.conftest import StartWire
from emulator.tests.protocols.test_messagepack import ODD_VALUES
from emulator.tests.real_client import javascript
from emulator.tests.upstream_app import App, calling
from emulator.tests.wire import Wire

LONGEST = 16 * 1024 * 1024
TOO_LONG = {
    "type": 7,
    "error": f"A message is longer than {LONGEST} bytes.",
    "allowReconnect": True,
}


@pytest.fixture
async def wire(start: StartWire, app: App) -> AsyncIterator[Wire]:
    async with calling(start, parse_template(f"{app.url} category=messages")) as wire:
        yield wire


def framed(message: bytes) -> bytes:
    prefix, length = bytearray(), len(message)
    while length > 0x7F:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([*prefix, length]) + message


async def messagepack_client(wire: Wire) -> aiohttp.ClientWebSocketResponse[bool]:
    ws = await wire.open()
    await ws.send_bytes(b'{"protocol":"messagepack","version":1}\x1e')
    assert await ws.receive_bytes(timeout=5) == b"{}\x1e"
    return ws


@pytest.mark.parametrize("number", ["12.50", "1234567890123456.789", "1e400", "9" * 5_000, "-0.0"])
async def test_numbers_keep_their_digits(wire: Wire, app: App, number: str) -> None:
    socket = await wire.connect()
    call = f'{{"type":1,"invocationId":"1","target":"t","arguments":[{number},"\\ud800"]}}'
    await socket.ws.send_str(call + "\x1e")
    assert (await app.next())[1] == call.encode()
    assert await socket.text() == '{"type":3,"invocationId":"1"}\x1e'


@pytest.mark.parametrize("value", ODD_VALUES.values(), ids=ODD_VALUES.keys())
async def test_values_that_python_cannot_hold(wire: Wire, app: App, value: bytes) -> None:
    ws = await messagepack_client(wire)
    call = b"\x96\x01\x80\xa11\xa1t\x91" + value + b"\x90"
    await ws.send_bytes(framed(call))
    assert (await app.next())[1] == call
    completion = bytes.fromhex("06 94 03 80 a1 31 02")
    assert (await ws.receive_bytes(timeout=5))[1:] == completion[1:]
    # An item of an upload is nobody's, and whoever asks for a result hears that there is none.
    await ws.send_bytes(framed(b"\x94\x02\x80\xa11" + value))
    await ws.send_bytes(framed(b"\x95\x03\x80\xa2s9\x03" + value))
    await ws.send_bytes(framed(call))
    assert (await ws.receive_bytes(timeout=5))[1:] == completion[1:]


async def test_message_that_cannot_be_read(wire: Wire) -> None:
    ws = await messagepack_client(wire)
    await ws.send_bytes(framed(b"\xc1"))
    closing = await ws.receive_bytes(timeout=5)
    assert closing[1:3] == b"\x93\x07"
    assert closing.endswith(b"A message is not valid MessagePack.\xc3")


async def test_longest_message(wire: Wire, app: App) -> None:
    socket = await wire.connect()
    head, end = b'{"type":1,"target":"t","arguments":["', b'"]}'
    call = head + b"x" * (LONGEST - len(head) - len(end)) + end
    await socket.ws.send_bytes(call + b"\x1e")
    assert (await app.next())[1] == call
    ws = await messagepack_client(wire)
    message = b"\x95\x01\x80\xc0\xa1t\x91\xc6"
    message += (LONGEST - len(message) - 4).to_bytes(4) + b"x" * (LONGEST - len(message) - 4)
    await ws.send_bytes(framed(message))
    assert (await app.next())[1] == message


@pytest.mark.parametrize("frames", [1, 20], ids=["one frame", "many frames"])
async def test_message_that_is_too_long(wire: Wire, app: App, frames: int) -> None:
    socket = await wire.connect()
    await socket.ws.send_str('{"type":1,"target":"before","arguments":[]}\x1e')
    try:
        for _ in range(frames):
            await socket.ws.send_bytes(b"x" * (20_000_000 // frames))
    except aiohttp.ClientConnectionResetError:
        pass  # The service may have ended the connection before all of it was sent.
    assert json.loads((await socket.text()).removesuffix("\x1e")) == TOO_LONG
    closing = await socket.ws.receive(timeout=5)
    assert (closing.type, closing.data) == (
        aiohttp.WSMsgType.CLOSE,
        1009 if frames == 1 else 1000,
    )
    assert await app.events(1) == ["before"]
    assert await wire.connection_counts() == {}


@pytest.mark.parametrize("protocol", ["json", "messagepack"])
async def test_javascript_client_learns_why_and_comes_back(wire: Wire, protocol: str) -> None:
    arguments = (wire.hub_url(), await wire.client_token(), "WebSockets", protocol, "too-long")
    async with javascript("client.mjs", *arguments) as client:
        assert (await client.event())["event"] == "connected"
        reconnecting, refused = await client.event(), await client.event()
        error = f"Server returned an error on close: A message is longer than {LONGEST} bytes."
        assert reconnecting == {"event": "reconnecting", "error": error}
        assert refused["event"] == "refused"
        assert error in refused["error"]
        assert (await client.event())["event"] == "reconnected"
        assert await wire.connection_counts() == {"chat": 1}


async def test_service_that_closes_a_client_which_still_sends(wire: Wire) -> None:
    """The reason arrives although the client has sent what nobody reads."""
    reader, writer = await wire.raw()
    token = await wire.client_token()
    writer.write(
        f"GET /client/?hub=chat&access_token={token} HTTP/1.1\r\nHost: localhost\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    handshake = b'{"protocol":"json","version":1}\x1e'
    writer.write(bytes([0x81, 0x80 | len(handshake), 0, 0, 0, 0]) + handshake)
    length = LONGEST + 1_000_000
    writer.write(b"\x82\xff" + length.to_bytes(8) + bytes(4))
    # All of it is taken off the socket, which would be reset otherwise.
    for _ in range(length // 1_000_000):
        writer.write(b"x" * 1_000_000)
        await writer.drain()
    writer.write_eof()
    received = await reader.read()
    assert json.dumps(TOO_LONG, separators=(",", ":")).encode() + b"\x1e" in received
    assert received.endswith(b"\x88\x02" + (1009).to_bytes(2))
    writer.close()
