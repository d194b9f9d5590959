"""How a request becomes a WebSocket, and what is left of the request."""

import asyncio
import gc
from collections import Counter

import pytest
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from emulator.tests.websocket.frames import PING, TEXT, closing, frame
from emulator.tests.wire import HANDSHAKE, HANDSHAKE_REPLY, Wire

SAID = frame(TEXT, HANDSHAKE.encode())
REPLY = b"\x81\x03" + HANDSHAKE_REPLY.encode()
HEADERS = {
    "Host": "localhost",
    "Connection": "keep-alive, Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


async def upgrade(wire: Wire, **changed: str) -> bytes:
    headers = HEADERS | {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [f"{name}: {value}\r\n" for name, value in headers.items() if value]
    token = await wire.client_token()
    return f"GET /client/?hub=chat&access_token={token} HTTP/1.1\r\n{''.join(lines)}\r\n".encode()


async def test_the_example_of_section_1_3(wire: Wire) -> None:
    reader, writer = await wire.raw()
    writer.write(
        await upgrade(wire, Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits")
    )
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
    assert head[0] == "http/1.1 101 switching protocols"
    fields = dict(line.split(": ", 1) for line in head[1:] if line)
    assert fields["upgrade"] == "websocket"
    assert fields["connection"] == "upgrade"
    assert fields["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".lower()
    # Neither compression nor a subprotocol is agreed on, and there is no body.
    assert not {
        "sec-websocket-extensions", "sec-websocket-protocol", "content-length", "transfer-encoding",
    } & fields.keys()  # fmt: skip
    writer.close()


@pytest.mark.parametrize(
    "changed",
    [
        {"Sec_WebSocket_Version": "12"},
        {"Sec_WebSocket_Key": "c2hvcnQ="},
        {"Sec_WebSocket_Key": ""},
        {"Upgrade": "h2c"},
        {"Connection": "keep-alive"},
    ],
)
async def test_a_request_that_is_no_upgrade_polls(wire: Wire, changed: dict[str, str]) -> None:
    reader, writer = await wire.raw()
    writer.write(await upgrade(wire, **changed))
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert await reader.readexactly(22) == b"Connection ID required"
    writer.close()


@pytest.mark.parametrize("cut", [0, 1, len(SAID) // 2, len(SAID)])
async def test_frames_behind_the_request_in_the_same_read(wire: Wire, cut: int) -> None:
    reader, writer = await wire.raw()
    writer.write(await upgrade(wire) + SAID[:cut])
    await reader.readuntil(b"\r\n\r\n")
    writer.write(SAID[cut:] + frame(PING, b"1"))
    assert await reader.readexactly(len(REPLY)) == REPLY
    assert await reader.readexactly(3) == b"\x8a\x011"
    writer.write(closing(1000))
    assert await reader.read() == b"\x88\x02\x03\xe8"
    writer.close()


async def test_more_behind_a_request_that_waits_than_is_read(wire: Wire) -> None:
    """It is held back until the WebSocket reads, and nothing of it is lost."""
    faults = b'{"operation":"connect","action":"freeze"}'
    url = f"{wire.emulator.control_url}/emulator/faults"
    assert (await wire.request("POST", url, data=faults)).status == 201
    reader, writer = await wire.raw()
    pings = [frame(PING, b"%05d" % number) for number in range(30_000)]
    writer.write(await upgrade(wire) + SAID + b"".join(pings))
    await wire.request("DELETE", url)
    await reader.readuntil(b"\r\n\r\n")
    assert await reader.readexactly(len(REPLY)) == REPLY
    for number in range(len(pings)):
        assert await reader.readexactly(7) == b"\x8a\x05%05d" % number
    writer.close()


async def test_nothing_of_a_request_is_left_once_it_is_a_web_socket(wire: Wire) -> None:
    gc.collect()
    others = await kept(wire)
    sockets = [await wire.connect() for _ in range(5)]
    gc.collect()
    assert await kept(wire) == others
    for socket in sockets:
        await socket.ws.close()


async def kept(wire: Wire) -> Counter[str]:
    """Count what aiohttp's server and the event loop keep for requests."""
    # The session has a connection to each port, and keeps it.
    await wire.connection_counts()
    await wire.rest("GET", "/api/health")
    kinds = (RequestHandler, web.Request, web.StreamResponse, asyncio.Task)
    return Counter(type(each).__name__ for each in gc.get_objects() if isinstance(each, kinds))
