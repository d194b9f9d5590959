"""A service that welcomes server connections: `python -m bench.server_connections.stub`.

It prints its port, and stops with its input. It looks into nothing that comes by server
connections, so that what is measured is whoever sends. `GET /received` says how many bytes it was.
"""

import asyncio
import re
import sys
from base64 import b64encode
from hashlib import sha1
from typing import Final

_KEY: Final = re.compile(rb"\r\nsec-websocket-key: *(\S+)", re.IGNORECASE)
_KEY_SUFFIX: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What RFC 6455 has the key of a WebSocket end with."""

_ACCEPTED: Final = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: %b\r\n\r\n"
)
_ANSWER: Final = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b"
_WELCOME: Final = b"\x82\x06\x05\x94\x02\xa0\x80\xc0"
"""A WebSocket frame, the length of a message, and `[2, "", {}, nil]`."""

_PING: Final = b"\x82\x03\x02\x91\x03"
_PING_EVERY: Final = 5.0
_AT_ONCE: Final = 1 << 20


class _Reading(asyncio.BufferedProtocol):
    received = 0
    """Bytes from all connections."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(_AT_ONCE))
        self._head: bytes | None = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101  a server's always is
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  named by asyncio
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._head is None:
            _Reading.received += nbytes
            return
        self._head += self._buffer[:nbytes]
        if self._head.endswith(b"\r\n\r\n"):
            self._answer(self._head)
            self._head = None

    def _answer(self, head: bytes) -> None:
        key = _KEY.search(head)
        if key is None:
            count = str(_Reading.received).encode()
            self._transport.write(_ANSWER % (len(count), count))
            self._transport.close()
            return
        accept = b64encode(sha1(key[1] + _KEY_SUFFIX, usedforsecurity=False).digest())
        # The handshake that a server sends next is not looked at either.
        self._transport.write(_ACCEPTED % accept + _WELCOME)
        self._ping()

    def _ping(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(_PING)
            asyncio.get_running_loop().call_later(_PING_EVERY, self._ping)


async def main() -> None:
    """Serve until the input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Reading, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
