"""What a client calls with reaches the upstream as it was sent, whatever and however long it is."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from signalr_emulator.upstream.settings import parse_template

from emulator.tests.conftest import StartWire
from emulator.tests.protocols.test_messagepack import ODD_VALUES
from emulator.tests.upstream_app import App, calling
from emulator.tests.wire import Wire

LONGEST = 16 * 1024 * 1024


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
