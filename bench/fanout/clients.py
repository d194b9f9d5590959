"""WebSocket clients that are nothing but sockets: they connect, read, count and discard."""

import selectors
import socket
import struct
from collections.abc import Iterable
from itertools import batched
from time import monotonic
from typing import Final, Self, cast

__all__ = ["Clients", "masked_text"]

_BATCH = 64
"""How many connect at once; more may not fit a server's backlog."""

_HANDSHAKE = b'{"protocol":"json","version":1}\x1e'
_FINAL_TEXT: Final = 0x81
_MASKED: Final = 0x80
_MAX_7_BIT: Final = 125
_LENGTH_16_FOLLOWS: Final = 126
_UPGRADED = b"\r\n\r\n"
_SHAKEN = b"{}\x1e"
_MAX_READ = 1 << 20
_PATIENCE = 60.0
"""How long to wait for the server, in seconds."""


class Clients:
    """Any number of clients of one server; closes them at the end of its context."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        for each in self._sockets:
            each.close()

    def __len__(self) -> int:
        return len(self._sockets)

    def connect(
        self, port: int, paths: Iterable[str], *, is_signalr: bool, source: str = "127.0.0.1"
    ) -> None:
        """Connect clients.

        Args:
            port: Where on 127.0.0.1.
            paths: Path and query to upgrade, for each of them.
            is_signalr: Whether to shake hands as a client of the JSON hub protocol does.
            source: From which address: one has less than 30,000 ports on most machines.
        """
        for some in batched(paths, _BATCH, strict=False):
            batch = [_upgrading(port, path, source) for path in some]
            for each in batch:
                _read_until(each, _UPGRADED)
                if is_signalr:
                    each.sendall(masked_text(_HANDSHAKE))
            for each in batch:
                if is_signalr:
                    _read_until(each, _SHAKEN)
                each.setblocking(False)
                self._selector.register(each, selectors.EVENT_READ, each.recv)
            self._sockets += batch

    def close(self, count: int) -> None:
        """Close as many of the clients as that, those that came last first."""
        for _ in range(count):
            client = self._sockets.pop()
            self._selector.unregister(client)
            client.close()

    def converse(self, message: bytes, answer_bytes: int, times: int) -> None:
        """Have each client send a message, and the next one as soon as its answer has come.

        Args:
            message: What it sends, as one frame.
            answer_bytes: The length of the frame that answers.
            times: How many messages each sends.

        Raises:
            TimeoutError: Answers did not come.
        """
        frame = masked_text(message)
        expected = answer_bytes * times
        received = dict.fromkeys(self._sockets, 0)
        for each in self._sockets:
            each.sendall(frame)
        talking = len(received)
        while talking:
            ready = self._selector.select(_PATIENCE)
            if not ready:
                raise TimeoutError(f"{talking} clients wait for answers")
            for key, _ in ready:
                each = cast("socket.socket", key.fileobj)
                before = received[each]
                received[each] = now = before + len(key.data(_MAX_READ))
                if now == expected:
                    talking -= 1
                elif now // answer_bytes > before // answer_bytes:
                    each.sendall(frame)

    def read(self, expected: int) -> None:
        """Read until all clients together have got so many bytes.

        Raises:
            TimeoutError: They did not come.
        """
        received = 0
        until = monotonic() + _PATIENCE
        while received < expected:
            received += self._read_ready(1.0)
            if monotonic() > until:
                raise TimeoutError(f"{received} bytes came instead of {expected}")

    def drain(self) -> int:
        """Read what has come until now, and return how many bytes that was."""
        received = 0
        while some := self._read_ready(0):
            received += some
        return received

    def _read_ready(self, timeout: float) -> int:
        return sum(len(key.data(_MAX_READ)) for key, _ in self._selector.select(timeout))


def masked_text(payload: bytes) -> bytes:
    """Frame text as a client does, with a mask that changes nothing."""
    length = len(payload)
    if length <= _MAX_7_BIT:
        return struct.pack("!BBI", _FINAL_TEXT, _MASKED | length, 0) + payload
    return struct.pack("!BBHI", _FINAL_TEXT, _MASKED | _LENGTH_16_FOLLOWS, length, 0) + payload


def _upgrading(port: int, path: str, source: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), _PATIENCE, (source, 0))
    client.sendall(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    return client


def _read_until(client: socket.socket, end: bytes) -> None:
    data = b""
    while not data.endswith(end):
        more = client.recv(4096)
        if not more:
            raise ConnectionError(f"The server closed after {data!r}")
        data += more
