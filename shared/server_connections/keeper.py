"""Keeps the server connections of one hub at one endpoint up, and opens lost ones again."""

import asyncio
import math
from collections.abc import Callable
from typing import Final

from ..errors import ServiceError
from ..service_protocol.connection import next_attempt
from .line import Line
from .opening import Opened, Opening
from .recording import Recording

__all__ = ["Keeper"]

_STEADY: Final = 5.0
"""Seconds after which a connection that ends is no failed attempt."""


class Keeper:
    """Keeps server connections up, on the running event loop.

    Args:
        opening: Opens a WebSocket.
        count: How many connections there shall be.
        line: Makes a connection of a WebSocket.
        failed: Is told why there is none.
        left: Is told of a connection that has ended.
        recording: Counts attempts and connections.
        jitter: Random numbers from 0 to 1, which spread attempts to connect.
    """

    def __init__(
        self,
        opening: Opening,
        count: int,
        line: Callable[[Opened], Line],
        *,
        failed: Callable[[ServiceError], None],
        left: Callable[[Line], None],
        recording: Recording,
        jitter: Callable[[], float],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._opening = opening
        self._line = line
        self._failed = failed
        self._left = left
        self._recording = recording
        self._jitter = jitter
        self._probing = asyncio.Lock()
        self._started = -math.inf
        self._failures = 0
        self.lines: list[Line] = []
        """Those that there are, welcomed or not yet."""
        self._tasks = [self._loop.create_task(self._keep_connected()) for _ in range(count)]

    async def close(self) -> None:
        """End all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep_connected(self) -> None:
        while True:
            line = await self._opened()
            since = self._loop.time()
            self._recording.up(1)
            try:
                await line.live()
            except ServiceError as error:
                lasted = self._loop.time() - since >= _STEADY
                self._failures = 0 if lasted else self._failures + 1
                self._failed(error)
            finally:
                self._recording.up(-1)
                await self._leave(line)

    async def _opened(self) -> Line:
        """Return a connection that the service has welcomed. One tries, and the others wait."""
        async with self._probing:
            while True:
                now = self._loop.time()
                due = next_attempt(self._failures, self._started, now, self._jitter())
                await asyncio.sleep(due - now)
                self._started = self._loop.time()
                try:
                    line = await self._attempt()
                except ServiceError as error:
                    self._failures += 1
                    self._failed(error)
                    self._recording.attempted(error)
                else:
                    self._recording.attempted(None)
                    return line

    async def _attempt(self) -> Line:
        opened = await self._opening.open()
        line = self._line(opened)
        self.lines.append(line)
        try:
            await line.shake_hands()
        except BaseException:
            await self._leave(line)
            raise
        return line

    async def _leave(self, line: Line) -> None:
        self.lines.remove(line)
        try:
            await line.end()
        finally:
            self._left(line)
