"""What clients did and the handler has yet to hear: in order for each client, and bounded."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

__all__ = ["EventQueue"]

_LOGGER = logging.getLogger(__name__)

_MAX_WAITING_CALLS = 100
"""How many events of a client may wait when it calls for an answer: it can be told of more."""

_MAX_WAITING = 1000
"""How many events of a client may wait when it expects no answer: more are lost without a word."""

type HandlerCall = Callable[[], Awaitable[None]]


class EventQueue:
    """Runs what a handler does for clients: one thing at a time for each, in the order of `put`."""

    def __init__(self) -> None:
        # Of the clients with an event under way, which comes first.
        self._calls: dict[str, deque[HandlerCall]] = {}
        self._workers: set[asyncio.Task[None]] = set()

    @property
    def size(self) -> int:
        """How many events wait or are under way, over all clients."""
        return sum(len(calls) for calls in self._calls.values())

    def has_room(self, connection_id: str, *, is_answered: bool) -> bool:
        """Tell whether a client may call one more method.

        Args:
            connection_id: The client.
            is_answered: Whether it expects an answer.
        """
        limit = _MAX_WAITING_CALLS if is_answered else _MAX_WAITING
        # One of them is under way.
        return len(self._calls.get(connection_id, ())) <= limit

    def put(self, connection_id: str, call: HandlerCall) -> None:
        """Add something to run for a client; what it raises is logged."""
        calls = self._calls.get(connection_id)
        if calls is not None:
            calls.append(call)
            return
        self._calls[connection_id] = deque((call,))
        worker = asyncio.get_running_loop().create_task(self._work(connection_id))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

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

    async def _work(self, connection_id: str) -> None:
        calls = self._calls[connection_id]
        try:
            while calls:
                await _run(calls[0])
                calls.popleft()
        finally:
            del self._calls[connection_id]


async def _run(call: HandlerCall) -> None:
    try:
        await call()
    except Exception:
        _LOGGER.exception("The handler of client events failed.")
