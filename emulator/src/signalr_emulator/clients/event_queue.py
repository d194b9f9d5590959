"""What clients did and the handler has yet to hear, in order for each client.

Nothing is dropped: whoever brings events of a client waits for room before it reads on. ASP.NET
Core does so too, with `MaximumParallelInvocationsPerClient`, whose default is one at a time.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

__all__ = ["MAX_WAITING_BYTES", "EventQueue"]

_LOGGER = logging.getLogger(__name__)

MAX_WAITING_BYTES = 4 * 1024 * 1024
"""From how much that waits of one client on no more of it is read."""

_EVENT_BYTES = 512
"""What an event takes beside what the client has sent."""

type HandlerCall = Callable[[], Awaitable[None]]


class _Waiting:
    """The events of a client: one is under way, the others wait."""

    __slots__ = ("bytes", "calls", "room")

    def __init__(self) -> None:
        self.calls: deque[tuple[HandlerCall, int]] = deque()
        self.bytes = 0
        self.room: asyncio.Event | None = None

    def make_room(self) -> None:
        if self.room is not None:
            self.room.set()
            self.room = None


class EventQueue:
    """Runs what a handler does for clients: one thing at a time for each, in the order of `put`."""

    def __init__(self) -> None:
        # Of the clients with an event under way, which comes first.
        self._waiting: dict[str, _Waiting] = {}
        self._workers: set[asyncio.Task[None]] = set()

    @property
    def size(self) -> int:
        """How many events wait or are under way, over all clients."""
        return sum(len(waiting.calls) for waiting in self._waiting.values())

    @property
    def clients(self) -> int:
        """How many clients have an event that waits or is under way."""
        return len(self._waiting)

    def has_room(self, connection_id: str) -> bool:
        """Tell whether more of a client may be read."""
        waiting = self._waiting.get(connection_id)
        return waiting is None or waiting.bytes <= MAX_WAITING_BYTES

    async def room(self, connection_id: str) -> None:
        """Wait until more of a client may be read, or until it is released."""
        waiting = self._waiting.get(connection_id)
        if waiting is None or self.has_room(connection_id):
            return
        waiting.room = waiting.room or asyncio.Event()
        await waiting.room.wait()

    def release(self, connection_id: str) -> None:
        """Let whoever waits for room go on, because the client is gone."""
        waiting = self._waiting.get(connection_id)
        if waiting is not None:
            waiting.make_room()

    def put(self, connection_id: str, call: HandlerCall, size: int = 0) -> None:
        """Add something to run for a client; what it raises is logged.

        Args:
            connection_id: The client.
            call: What to run.
            size: What it keeps of what the client has sent, in bytes.
        """
        waiting = self._waiting.get(connection_id)
        if waiting is None:
            waiting = self._waiting[connection_id] = _Waiting()
            worker = asyncio.get_running_loop().create_task(self._work(connection_id, waiting))
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        waiting.calls.append((call, size + _EVENT_BYTES))
        waiting.bytes += size + _EVENT_BYTES

    async def finish(self, grace: float) -> None:
        """Wait until everything has run, but not for long.

        Args:
            grace: After how many seconds the rest is given up.
        """
        if not self._workers:
            return
        _, unfinished = await asyncio.wait(self._workers, timeout=grace)
        for worker in unfinished:
            worker.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    async def _work(self, connection_id: str, waiting: _Waiting) -> None:
        try:
            while waiting.calls:
                call, size = waiting.calls[0]
                waiting.bytes -= size
                if waiting.bytes <= MAX_WAITING_BYTES:
                    waiting.make_room()
                await _run(call)
                waiting.calls.popleft()
        finally:
            del self._waiting[connection_id]
            waiting.make_room()


async def _run(call: HandlerCall) -> None:
    try:
        await call()
    except Exception:
        _LOGGER.exception("The handler of client events failed.")
