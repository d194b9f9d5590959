"""What a call costs, to be held against the same call among more."""

import time
from collections.abc import Callable

__all__ = ["cost"]

_CALLS = 20


def cost(call: Callable[[], object]) -> int:
    """Return the nanoseconds of processor time that some calls take, at least."""

    def measured() -> int:
        began = time.process_time_ns()
        for _ in range(_CALLS):
            call()
        return time.process_time_ns() - began

    return min(measured() for _ in range(10))
