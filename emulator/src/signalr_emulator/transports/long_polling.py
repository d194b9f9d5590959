"""The long polling transport: each response brings what waits, and requests to send.

Source: TransportProtocols.md of dotnet/aspnetcore: the first poll is answered at once, a newer poll
ends an older one with 204, a poll without news ends with an empty 200, and 204 says that the
connection is closed.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from aiohttp import web

from ..protocols.supported import HubProtocol, TransferFormat
from .outgoing import record_form
from .poll_queue import PollQueue
from .sink import Form, Relay, Sink
from .timing import Timing

__all__ = ["MAX_WAITING", "LongPollingTransport"]

MAX_WAITING = 1024 * 1024
"""Bytes that may wait for the next poll (`MaxPollIntervalInSeconds` of the .NET SDK)."""

_CONTENT_TYPES = {
    TransferFormat.TEXT: "text/plain",
    TransferFormat.BINARY: "application/octet-stream",
}


class LongPollingTransport:
    """Carries bytes to one client that polls.

    Args:
        timing: Time limits; `poll` and `poll_idle` count.
        on_gone: Called when no poll comes for too long, or when a poll breaks.
        on_finished: Called when the client knows that the connection is closed, or cannot be told.
    """

    def __init__(
        self, timing: Timing, *, on_gone: Callable[[], None], on_finished: Callable[[], None]
    ) -> None:
        self._timing = timing
        self._on_gone = on_gone
        self._on_finished = on_finished
        self._on_overflow: Callable[[], None] = on_gone
        self._queue = PollQueue(MAX_WAITING)
        self._format = TransferFormat.TEXT
        self._poll: asyncio.Future[HTTPStatus] | None = None
        self._socket: asyncio.Transport | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._was_polled = False
        self._is_closed = False
        self._is_finished = False
        self._overflowed = False

    @property
    def waiting(self) -> int:
        """Bytes that wait for the next poll."""
        return self._queue.bytes

    def on_overflow(self, overflow: Callable[[], None]) -> None:
        """Set what is called, from the event loop, when too much waits for the next poll."""
        self._on_overflow = overflow

    def send(self, payload: bytes, transfer_format: TransferFormat) -> None:
        """Keep messages of the hub protocol for the next response."""
        self._format = transfer_format
        self._put(payload)

    def form(self, protocol: HubProtocol) -> Form:
        """Give the form of messages that go to many clients."""
        return record_form(protocol)

    @property
    def sink(self) -> Sink:
        """What takes messages that go to many clients."""
        return Relay(self._put)

    def close(self) -> None:
        """Close the connection after what was sent; what is sent later is dropped."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._poll is not None:
            self._end_poll(HTTPStatus.OK if self._queue else HTTPStatus.NO_CONTENT)
        else:
            self._start_idle()

    def abort(self) -> None:
        """Cut the connection now: a poll that waits breaks, and the next one is unknown."""
        self._is_closed = True
        self._queue.take()
        if self._poll is not None and self._socket is not None:
            self._socket.abort()
        self._finish()

    async def poll(self, socket: asyncio.Transport | None) -> web.Response:
        """Answer a poll.

        Args:
            socket: Where it came in; None if that is gone.
        """
        self._stop_idle()
        try:
            status = await self._news(socket)
        except asyncio.CancelledError:
            # Only the poll that counts may start the time until the next one.
            if self._poll is None:
                self._start_idle()
            raise
        if self._poll is None:
            self._start_idle()
        if status is HTTPStatus.NO_CONTENT:
            return web.Response(status=status)
        body = self._queue.take() if self._was_polled else b""
        self._was_polled = True
        return web.Response(body=body, content_type=_CONTENT_TYPES[self._format])

    async def _news(self, socket: asyncio.Transport | None) -> HTTPStatus:
        """Wait for what the poll has to be answered with."""
        if self._poll is not None:
            self._end_poll(HTTPStatus.NO_CONTENT)
        if self._queue or not self._was_polled:
            return HTTPStatus.OK
        if self._is_closed:
            self._finish()
            return HTTPStatus.NO_CONTENT
        loop = asyncio.get_running_loop()
        poll: asyncio.Future[HTTPStatus] = loop.create_future()
        self._poll, self._socket = poll, socket
        timer = loop.call_later(self._timing.poll, self._time_out, poll)
        try:
            status = await poll
        finally:
            timer.cancel()
            if self._poll is poll:
                self._poll = self._socket = None
        if status is HTTPStatus.NO_CONTENT and self._is_closed:
            self._finish()
        return status

    def _put(self, record: bytes) -> None:
        if not record or self._is_closed or self._overflowed:
            return
        if not self._queue.put(record):
            # A broadcast goes on right now: no recipient may leave.
            self._overflowed = True
            asyncio.get_running_loop().call_soon(self._overflow)
        elif self._poll is not None:
            self._end_poll(HTTPStatus.OK)

    def _overflow(self) -> None:
        # What did not fit is lost, and so is what waits: only the reason is left to tell.
        self._queue.take()
        self._overflowed = False
        self._on_overflow()

    def _end_poll(self, status: HTTPStatus) -> None:
        poll, self._poll, self._socket = self._poll, None, None
        if poll is not None and not poll.done():
            poll.set_result(status)

    @staticmethod
    def _time_out(poll: asyncio.Future[HTTPStatus]) -> None:
        if not poll.done():
            poll.set_result(HTTPStatus.OK)

    def _start_idle(self) -> None:
        self._stop_idle()
        if self._is_finished:
            return
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(self._timing.poll_idle, self._idle_for_too_long)

    def _stop_idle(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _idle_for_too_long(self) -> None:
        if self._is_closed:
            self._finish()
        else:
            self._on_gone()

    def _finish(self) -> None:
        self._is_finished = True
        self._stop_idle()
        finished = self._on_finished
        # They know this transport: it would stay in memory until a garbage collection.
        self._on_gone = self._on_overflow = self._on_finished = _nothing
        finished()


def _nothing() -> None:
    """Do nothing: the end is told already."""
