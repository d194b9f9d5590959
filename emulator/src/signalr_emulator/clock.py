"""The emulator's clock: real time plus an offset that grows, until it is reset.

Every lifetime that the service knows (Entra tokens, temporary access keys, client tokens) is
measured on this clock, so that a test can let 90 minutes pass in no time. Liveness of connections
(handshake, keep-alive) runs on the event loop's own clock instead: advancing this one must not
disconnect anybody.

After a reset the emulator meets what it made while it was ahead. Nobody could give these tokens
back, so that `start_limit` keeps them from being "not valid yet".
"""

import math
import time
from collections.abc import Callable

__all__ = ["MAX_ADVANCE", "Clock"]

MAX_ADVANCE = 10 * 365 * 24 * 3600.0
"""The most that one call of `Clock.advance` moves the clock, in seconds: ten years."""


class Clock:
    """Wall-clock time that can be moved forward, and back to real time.

    Args:
        source: Gives the real time in seconds since the epoch.
    """

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._offset = 0.0
        self._most = 0.0

    @property
    def offset(self) -> float:
        """How far this clock is ahead of its source, in seconds."""
        return self._offset

    def now(self) -> float:
        """Give the time in seconds since the epoch."""
        return self._source() + self._offset

    @property
    def start_limit(self) -> float:
        """Until when a token may say that it begins: now, or what was now when it was made.

        In seconds since the epoch, as far ahead of the source as this clock ever was.
        """
        return self._source() + self._most

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        Args:
            seconds: From 0 to `MAX_ADVANCE`.

        Raises:
            ValueError: The number is outside of that range or is not a number.
        """
        if not math.isfinite(seconds) or not 0 <= seconds <= MAX_ADVANCE:
            raise ValueError(f"has to be a number of seconds from 0 to {MAX_ADVANCE:.0f}")
        self._offset += seconds
        self._most = max(self._most, self._offset)

    def reset(self) -> None:
        """Move the clock back to real time."""
        self._offset = 0.0
