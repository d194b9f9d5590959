"""What somebody waits for, until it comes or its time is over."""

import math
from collections.abc import Callable
from typing import Final, NamedTuple

from ..errors import ServiceError

__all__ = ["Outcome", "Pending"]

_CHECK_EVERY: Final = 3.0
"""Seconds after which deadlines are looked at again, as the SDK for .NET does (`AckHandler`)."""


class Outcome[W, T](NamedTuple):
    """How the waiting of somebody ends.

    Args:
        waiter: Who waits.
        result: What came, or why nothing did.
    """

    waiter: W
    result: T | ServiceError


class Pending[K, T]:
    """What is waited for, by its id. Moments are seconds of a steady clock."""

    def __init__(self) -> None:
        self._waiting: dict[K, tuple[float, T]] = {}
        self.due = math.inf
        """When deadlines are to be looked at."""

    def __contains__(self, key: K) -> bool:
        return key in self._waiting

    def add(self, key: K, what: T, deadline: float, now: float) -> None:
        """Wait for something until a deadline, and for up to 3 s more."""
        self._waiting[key] = deadline, what
        self.due = min(self.due, now + _CHECK_EVERY)

    def get(self, key: K) -> T | None:
        """Return what is waited for under an id."""
        found = self._waiting.get(key)
        return None if found is None else found[1]

    def take(self, key: K) -> T | None:
        """Return what is waited for under an id; it is not any more."""
        found = self._waiting.pop(key, None)
        return None if found is None else found[1]

    def take_where(self, is_over: Callable[[T], bool]) -> list[T]:
        """Return all that is over; it is not waited for any more."""
        return self._take([key for key, (_, what) in self._waiting.items() if is_over(what)])

    def overdue(self, now: float) -> list[T]:
        """Return what has not come in time; it is not waited for any more."""
        if now < self.due:
            return []
        late = [key for key, (deadline, _) in self._waiting.items() if deadline <= now]
        found = self._take(late)
        self.due = now + _CHECK_EVERY if self._waiting else math.inf
        return found

    def _take(self, keys: list[K]) -> list[T]:
        return [self._waiting.pop(key)[1] for key in keys]
