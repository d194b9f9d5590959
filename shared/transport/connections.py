"""Connections of urllib3 that send a request in one write, and bound the time and size of answers.

Python's `http.client` writes head and body one after the other (python/cpython#77248), so a message
would be two packets, two TLS records and two calls of the kernel, a tenth of what it costs. And the
timeouts of sockets are for each piece of an answer, so that one which comes byte by byte would be
waited for as long as it likes, and nothing bounds its size.
"""

import functools
import io
import time
from collections.abc import Mapping
from http.client import HTTPResponse
from socket import socket
from typing import TYPE_CHECKING, Any

from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["improve_connections"]


class _Bounded(io.RawIOBase):
    """What a socket receives until a moment, up to a length.

    Args:
        sock: The socket; its timeout is how long it may be silent.
        seconds: How long it is read from.
        size: Most bytes that are read from it.
    """

    def __init__(self, sock: socket, seconds: float, size: float) -> None:
        self._sock = sock
        self._silence = sock.gettimeout()
        self._deadline = time.monotonic() + seconds
        self._size = size
        # A file of the socket's own, which keeps it open as long as it is read from.
        self._received = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        left = self._left()
        self._sock.settimeout(left if self._silence is None else min(self._silence, left))
        try:
            count = self._received.readinto(buffer)
        except TimeoutError as error:
            silence = error
        else:
            self._size -= count or 0
            if self._size < 0:
                raise OSError("the answer is too large")
            return count
        self._left()
        raise silence

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer takes too long")
        return left

    def close(self) -> None:
        self._received.close()
        super().close()


class _BoundedResponse(HTTPResponse):
    def __init__(
        self,
        sock: socket,
        *args: Any,  # noqa: ANN401  the class's own
        seconds: float,
        size: float,
        **options: Any,  # noqa: ANN401  the class's own
    ) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_Bounded(sock, seconds, size))


class _Connection(HTTPConnection):
    _held: list[bytes] | None = None
    longest_answer: float
    largest_answer: float
    response_class: Any

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  the class's own
        super().__init__(*args, **options)
        self.response_class = functools.partial(
            _BoundedResponse, seconds=self.longest_answer, size=self.largest_answer
        )

    def request(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  the method's own
        held = self._held = []
        try:
            super().request(*args, **options)
        finally:
            self._held = None
        super().send(b"".join(held))

    def send(self, data: Any) -> None:  # noqa: ANN401  the method's own
        # What sets up a way through a proxy is written as it comes.
        if self._held is None:
            super().send(data)
        else:
            self._held.append(data)


class _TLSConnection(_Connection, HTTPSConnection):
    pass


_IMPROVED: Mapping[object, type[_Connection]] = {
    HTTPConnection: _Connection,
    HTTPSConnection: _TLSConnection,
}


def improve_connections(
    pool: HTTPConnectionPool, *, longest_answer: float, largest_answer: float
) -> HTTPConnectionPool:
    """Have the connections that a pool will open send in one write and bound their answers.

    Only where they are urllib3's own: those through a SOCKS proxy stay as they are.

    Args:
        pool: The pool.
        longest_answer: Seconds from the end of a request to the last byte of its answer.
        largest_answer: Most bytes of an answer, as they come.
    """
    improved = _IMPROVED.get(pool.ConnectionCls)
    if improved is not None:
        bounds = {"longest_answer": longest_answer, "largest_answer": largest_answer}
        pool.ConnectionCls = type(improved.__name__, (improved,), bounds)
    return pool
