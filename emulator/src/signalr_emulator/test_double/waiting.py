"""Waits for something that has yet to be recorded, and says what was instead."""

import time
from collections.abc import Callable, Sequence

__all__ = ["NotSeenError", "not_seen", "wait_until"]

_INTERVAL = 0.02
"""Seconds between two looks."""

_MOST_LINES = 20


class NotSeenError(AssertionError):
    """What a test waited for did not happen; the message lists what did."""


def wait_until[T](
    look: Callable[[], Sequence[T]], matches: Callable[[T], bool], wanted: str, timeout: float
) -> T:
    """Give the first thing that matches, as soon as there is one.

    Args:
        look: Gives what there is, the oldest first.
        matches: Tells whether it is meant.
        wanted: What is waited for, as a person would say it.
        timeout: How long to wait, in seconds.

    Raises:
        NotSeenError: There was none in time.
    """
    end = time.monotonic() + timeout
    while True:
        is_over = time.monotonic() >= end
        seen = look()
        for each in seen:
            if matches(each):
                return each
        if is_over:
            raise not_seen(wanted, timeout, [str(each) for each in seen])
        time.sleep(_INTERVAL)


def not_seen(wanted: str, timeout: float, lines: Sequence[str]) -> NotSeenError:
    """Make the error that lists what was there instead.

    Args:
        wanted: What was waited for.
        timeout: How long, in seconds.
        lines: What there was, the oldest first.
    """
    if not lines:
        return NotSeenError(f"No {wanted} within {timeout:g} s, and nothing else.")
    more = len(lines) - _MOST_LINES
    shown = ([f"({more} more)"] if more > 0 else []) + [*lines[-_MOST_LINES:]]
    listed = "".join(f"\n  {line}" for line in shown)
    return NotSeenError(f"No {wanted} within {timeout:g} s. There was:{listed}")
