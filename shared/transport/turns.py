"""Turns at an endpoint: so many requests at a time, and the others in their order.

Each endpoint has its own, so that one that does not answer holds up nobody else. Among several,
what cannot be begun in time is given up unsent: a queue would only grow.
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Final

from .flow import NoAnswerError

__all__ = ["MAX_CONCURRENCY", "Turns"]

MAX_CONCURRENCY: Final = 16
"""Most requests to an endpoint at a time."""


class Turns:
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
