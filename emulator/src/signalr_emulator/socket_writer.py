"""Writes to a client's socket without waiting, up to a bound.

An asyncio transport buffers whatever it is given, so that the bound has to be ours.
"""

import asyncio
import logging
from collections.abc import Callable

__all__ = ["SocketWriter"]

_LOGGER = logging.getLogger(__name__)


class SocketWriter:
    """What transports that stream have in common.

    Args:
        transport: The socket's transport.
        max_buffered: Bytes that may wait for a slow client.
        linger: How long a closing client may take to read what was sent, in seconds.
    """

    # Slots keep what a broadcast touches of each of thousands of clients small.
    __slots__ = (
        "_linger",
        "_max_buffered",
        "_on_overflow",
        "_transport",
        "_unchecked",
        "_write",
    )

    def __init__(self, transport: asyncio.Transport, max_buffered: int, linger: float) -> None:
        self._transport = transport
        self._write: Callable[[bytes], None] = transport.write
        self._max_buffered = max_buffered
        self._linger = linger
        self._unchecked = 0
        self._on_overflow: Callable[[], None] = transport.abort

    def on_overflow(self, overflow: Callable[[], None]) -> None:
        """Set what is called, from the event loop, when the client reads too slowly."""
        self._on_overflow = overflow

    def abort(self) -> None:
        """Cut the connection now."""
        self._write = _drop
        self._transport.abort()

    def _stop_writing(self) -> None:
        """Write nothing more, and cut a client that does not read what was written."""
        self._write = _drop
        asyncio.get_running_loop().call_later(self._linger, self._transport.abort)

    def _put(self, data: bytes) -> None:
        self._write(data)
        self._unchecked += len(data)
        if self._unchecked > self._max_buffered:
            self._check_buffer()

    def _check_buffer(self) -> None:
        """Stop with a client that reads too slowly.

        What waits can be no more than what was written, so that there is no need to look at
        every write: looking takes as long as a good part of the write itself.
        """
        waiting = self._unchecked = self._transport.get_write_buffer_size()
        if waiting <= self._max_buffered or self._transport.is_closing() or self._write is _drop:
            return
        _LOGGER.warning("A client reads too slowly: %d bytes wait.", waiting)
        loop = asyncio.get_running_loop()
        # A broadcast goes on right now: no recipient may leave, and nothing is added to what
        # waits but the reason, which comes from the event loop.
        self._write = _drop
        loop.call_soon(self._overflow)

    def _overflow(self) -> None:
        self._write = self._transport.write
        self._unchecked = 0
        self._on_overflow()


def _drop(_data: bytes) -> None:
    """Write nothing: the connection is closing."""
