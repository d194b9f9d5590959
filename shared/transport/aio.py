"""Sends HTTP requests from event loops: whole conversations on the loop's own thread.

Threads would fight for the interpreter, which took half of what a message cost. They are left for
what only blocks: opening a connection, TLS within the TLS of a proxy, and event loops that watch no
sockets, as the default one on Windows.

Each endpoint has so many requests at a time, and the others in their order, so that one that does
not answer holds up nobody else. Among several, what cannot be begun in time is given up unsent: a
queue would only grow.
"""

import asyncio
import socket
from collections import defaultdict, deque
from contextlib import suppress
from functools import partial
from weakref import WeakSet

from .flow import NoAnswerError, Request, Response
from .http import Transport
from .line import Line
from .opening import Route
from .threads import MAX_CONCURRENCY, Threads

__all__ = ["LoopTransport"]


class LoopTransport:
    """Sends requests, so many at a time to an endpoint.

    Args:
        transport: Sends those of who blocks.
        patience: Seconds that a request may wait for its turn, unless it says itself how long an
            answer may take; `None` for any number.
    """

    def __init__(self, transport: Transport, patience: float | None) -> None:
        self._transport = transport
        self._patience = patience
        self._loops: dict[asyncio.AbstractEventLoop, _Lines] = {}
        self._threads: defaultdict[str, Threads] = defaultdict(Threads)

    async def send(self, request: Request) -> Response:
        """Send one request and return the answer, whatever its status.

        Raises:
            NoAnswerError: The service could not be reached or did not answer in time.
        """
        lines = self._lines_of(asyncio.get_running_loop())
        turns = lines.turns[request.endpoint]
        await turns.take(self._patience and (request.read_timeout or self._patience))
        try:
            return await self._send(lines, request)
        finally:
            turns.give_back()

    def after_fork(self) -> None:
        """Make it usable in a child process, which has neither the event loops nor the threads."""
        for lines in self._loops.values():
            lines.leave()
        self._loops.clear()
        self._threads.clear()

    def close_here(self) -> None:
        """Close what is open on the running event loop, after what is under way."""
        self._lines_of(asyncio.get_running_loop()).close()

    def close(self) -> None:
        """Close what is open on any event loop, after what is under way."""
        for loop, lines in list(self._loops.items()):
            try:
                loop.call_soon_threadsafe(lines.close)
            except RuntimeError:
                # The event loop is closed, so nothing is under way.
                lines.leave()
        for threads in list(self._threads.values()):
            threads.close()

    async def _send(self, lines: "_Lines", request: Request) -> Response:
        transport = self._transport
        prepared = transport.prepared(request)
        route, data, reader, silence = prepared
        if route.only_blocks or not lines.watches_sockets:
            threads = self._threads[request.endpoint]
            return await threads.call(partial(transport.exchange, prepared))
        line = lines.take(route)
        if line is None:
            # Who gives up waiting leaves a connection that nobody wants.
            opening = partial(route.open, transport.timeouts.connect)
            opened = self._threads[request.endpoint].call(opening, unwanted=_close)
            line = lines.add(await opened)
        total = transport.timeouts.total
        answer = await line.exchange(data, reader, silence=silence, total=total)
        lines.keep(route, line)
        return answer

    def _lines_of(self, loop: asyncio.AbstractEventLoop) -> "_Lines":
        lines = self._loops.get(loop)
        if lines is None:
            for each in [each for each in self._loops if each.is_closed()]:
                self._loops.pop(each).leave()
            lines = self._loops[loop] = _Lines(loop)
        return lines


class _Turns:
    """The turns at one endpoint, of those on one event loop."""

    def __init__(self) -> None:
        self._free = MAX_CONCURRENCY
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self, patience: float | None) -> None:
        """Wait for a turn, which `give_back` ends.

        Args:
            patience: Seconds to wait at most, or `None` for any number.

        Raises:
            NoAnswerError: None came in time.
        """
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(patience):
                await turn
        except BaseException as error:
            if turn.cancelled():
                # Nobody waits for it any more, so it holds up nobody behind it.
                with suppress(ValueError):
                    self._waiting.remove(turn)
            else:
                # It came at the very moment.
                self.give_back()
            if not isinstance(error, TimeoutError):
                raise
            problem = f"{MAX_CONCURRENCY} other requests have waited for {patience:g} s"
            raise NoAnswerError(problem, delivered=False) from None

    def give_back(self) -> None:
        """End a turn, so that the next one has it."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class _Lines:
    """The turns and connections on one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.turns: defaultdict[str, _Turns] = defaultdict(_Turns)
        self.watches_sockets = type(loop).add_reader is not asyncio.AbstractEventLoop.add_reader
        self._loop = loop
        self._lines: WeakSet[Line] = WeakSet()
        self._kept: defaultdict[Route, list[Line]] = defaultdict(list)
        self._keeps = True

    def take(self, route: Route) -> Line | None:
        """Return a line that is fit for a request, if there is one."""
        kept = self._kept[route]
        while kept:
            line = kept.pop()
            if line.is_fit():
                return line
            line.close()
        return None

    def add(self, sock: socket.socket) -> Line:
        """Return a line of a socket."""
        line = Line(self._loop, sock)
        self._lines.add(line)
        return line

    def keep(self, route: Route, line: Line) -> None:
        """Take a line back."""
        if not self._keeps:
            line.close()
        elif line.is_open:
            self._kept[route].append(line)

    def close(self) -> None:
        """Close what is idle now, and the others when they are."""
        self._keeps = False
        for kept in self._kept.values():
            while kept:
                kept.pop().close()

    def leave(self) -> None:
        """Leave all of it to the parent process, or to an event loop that is closed."""
        for line in list(self._lines):
            line.leave()


def _close(sock: socket.socket) -> None:
    sock.close()
