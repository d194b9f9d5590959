"""The deadlines of all connections on one timer of the event loop."""

import asyncio
import heapq
from collections.abc import Callable

__all__ = ["Deadline", "Deadlines"]

_RESOLUTION = 0.01
"""How late a deadline may be, in seconds, so that those of many connections share a wake-up."""


class Deadline:
    """Something that is to happen at a time.

    Args:
        when: Monotonic time, in seconds.
        due: Called then.
    """

    __slots__ = ("due", "when")

    def __init__(self, when: float, due: Callable[[], None] | None) -> None:
        self.when = when
        self.due = due

    def __lt__(self, other: "Deadline") -> bool:
        return self.when < other.when

    def cancel(self) -> None:
        """Let it not happen, and know nothing any more of what would have."""
        self.due = None


class Deadlines:
    """Every deadline of a service."""

    def __init__(self) -> None:
        self._waiting: list[Deadline] = []
        self._timer: asyncio.TimerHandle | None = None

    def plan(self, when: float, due: Callable[[], None]) -> Deadline:
        """Have something happen at a time.

        Args:
            when: Monotonic time, in seconds.
            due: Called then, or up to 10 ms later.
        """
        deadline = Deadline(when, due)
        heapq.heappush(self._waiting, deadline)
        if self._waiting[0] is deadline:
            self._set_timer(when)
        return deadline

    def _set_timer(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(when, self._look)

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        try:
            while self._waiting and self._waiting[0].when <= now:
                due = heapq.heappop(self._waiting).due
                if due is not None:
                    due()
        finally:
            # What fails for one connection has no effect on the others.
            if self._waiting:
                self._set_timer(max(self._waiting[0].when, now + _RESOLUTION))
