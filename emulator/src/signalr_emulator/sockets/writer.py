"""Writes to a client's socket without waiting, up to a bound.

An asyncio transport buffers whatever it is given, so that the bound has to be ours. As long as
nothing waits, data goes to the socket itself: the way through the transport would take a good part
of the time that a broadcast takes.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

__all__ = ["SocketWriter", "Way"]

_LOGGER = logging.getLogger(__name__)

_UNMEASURED = 64 * 1024
"""Bytes that are handed to a transport, after it was empty, before what waits is measured."""


class Way(Protocol):
    """What takes data first, without waiting: a socket, or what stands in for it."""

    def send(self, data: bytes, /) -> int:
        """Take data, and tell how much of it is dealt with.

        Raises:
            OSError: None of it: the socket is full or closed.
        """


class _Waiting:
    """Takes nothing: something else waits already."""

    def send(self, _data: bytes, /) -> int:
        return 0


class _Dropping:
    """Takes everything and writes nothing."""

    def send(self, data: bytes, /) -> int:
        return len(data)


_WAITING = _Waiting()
_CLOSING = _Dropping()
"""The connection is closing."""

_OVERFLOWING = _Dropping()
"""The client is about to be told why it is closed."""


class _Hot:
    """The one slot that a broadcast reads: that of a base class lies at an object's beginning."""

    __slots__ = ("way",)


class SocketWriter(_Hot):
    """What transports that stream have in common.

    From its construction to the closing of the connection, nobody else writes to the transport:
    what another one had to leave there could be overtaken.

    Args:
        transport: The socket's transport.
        max_buffered: Bytes that may wait for a slow client.
        linger: How long a closing client may take to read what was sent, in seconds.
    """

    # Slots keep what a broadcast touches of each of thousands of clients small.
    __slots__ = (
        "_direct",
        "_linger",
        "_max_buffered",
        "_measure_above",
        "_on_overflow",
        "_transport",
        "_waiting",
    )

    def __init__(self, transport: asyncio.Transport, max_buffered: int, linger: float) -> None:
        self._transport = transport
        self._max_buffered = max_buffered
        self._linger = linger
        self._on_overflow: Callable[[], None] = transport.abort
        self._direct = _direct_way(transport)
        # What it does not deal with goes to the transport.
        self.way: Way = _WAITING
        # No less than what waits in the transport.
        self._waiting = 0
        self._measure_above = 0
        self._measure()

    @property
    def waiting(self) -> int:
        """Bytes that the client has yet to take, beside what its system holds."""
        return self._transport.get_write_buffer_size()

    def on_overflow(self, overflow: Callable[[], None]) -> None:
        """Set what is called, from the event loop, when the client reads too slowly."""
        self._on_overflow = overflow

    def abort(self) -> None:
        """Cut the connection now."""
        self.way = _CLOSING
        self._transport.abort()

    def _stop_writing(self) -> None:
        """Write nothing more, and cut a client that does not read what was written."""
        self.way = _CLOSING
        asyncio.get_running_loop().call_later(self._linger, self._transport.abort)

    def _put(self, data: bytes) -> None:
        try:
            written = self.way.send(data)
        except OSError:
            written = 0
        if written != len(data):
            self.put_rest(data, written)

    def put_rest(self, data: bytes, dealt_with: int) -> None:
        """Leave to the transport what the way did not take; it also finds out what is wrong.

        Args:
            data: What was given to the way.
            dealt_with: Bytes of it that are dealt with.
        """
        # Whatever comes next has to stay behind this.
        self.way = _WAITING
        rest = memoryview(data)[dealt_with:]
        self._transport.write(rest)
        self._waiting += len(rest)
        if self._waiting > self._measure_above:
            self._measure()

    def _measure(self) -> None:
        """Measure what waits: none of it frees the way to the socket, too much of it is the end.

        What waits can be no more than what was written, so that there is no need to measure at
        every write: the transport adds up all that it holds.
        """
        waiting = self._waiting = self._transport.get_write_buffer_size()
        self._measure_above = min(self._max_buffered, 2 * waiting + _UNMEASURED)
        if waiting == 0:
            self.way = self._direct
            return
        if waiting <= self._max_buffered or self._transport.is_closing():
            return
        _LOGGER.warning("A client reads too slowly: %d bytes wait.", waiting)
        # A broadcast goes on right now: no recipient may leave, and nothing is added to what
        # waits but the reason, which comes from the event loop.
        self.way = _OVERFLOWING
        asyncio.get_running_loop().call_soon(self._overflow)

    def _overflow(self) -> None:
        if self.way is _OVERFLOWING:
            self.way = _WAITING
            self._waiting, self._measure_above = 0, self._max_buffered
            self._on_overflow()


def _direct_way(transport: asyncio.Transport) -> Way:
    """Give a transport's socket, or what leaves everything to the transport.

    Encrypted data is the transport's own. That asyncio hides the socket is for those who would
    disturb it: sending while nothing waits is what the transport does itself. Unlike a copy of the
    file descriptor, the socket knows when it has been closed.
    """
    hidden = transport.get_extra_info("socket")
    sock: Way | None = getattr(hidden, "_sock", None)
    if sock is None or transport.get_extra_info("sslcontext") is not None:
        return _WAITING
    return sock
