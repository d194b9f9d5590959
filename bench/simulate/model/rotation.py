"""Access keys of many processes: how often, and how many at once, the auth API is asked."""

from collections.abc import Callable
from typing import Final

import numpy as np

from shared.errors import ServiceUnavailableError
from shared.keys.access_key import AccessKey
from shared.keys.schedule import Moment, Schedule

from .clients import Ints

__all__ = ["requests_each_minute", "requests_while_down", "rotation_interval"]

_HOUR: Final = 3_600.0


def rotation_interval(jitter: float) -> float:
    """Return the seconds after which the app replaces a key.

    Args:
        jitter: A number from 0 to 1, as the app draws it.
    """
    schedule, now = Schedule(), Moment(0.0, 0.0)
    schedule.succeeded(AccessKey("simulated", b"", 0.0), now, now, jitter)
    return schedule.due.seconds_from(now)


def requests_each_minute(
    processes: int,
    jitter: Callable[[], float],
    random: np.random.Generator,
    *,
    start_within: float = 60.0,
    hours: int = 12,
) -> Ints:
    """Return the key requests in each minute after many processes have started together.

    Args:
        processes: How many there are.
        jitter: What each draws for a rotation, from 0 to 1.
        random: The source of chance for their starts.
        start_within: Seconds in which all of them start.
        hours: How long to look.
    """
    counts = np.zeros(hours * 60, np.int64)
    for start in random.uniform(0.0, start_within, processes).tolist():
        now = start
        while now < hours * _HOUR:
            counts[int(now // 60)] += 1
            now += rotation_interval(jitter())
    return counts


def requests_while_down(
    processes: int,
    jitter: Callable[[], float],
    random: np.random.Generator,
    *,
    start_within: float = 1.0,
    seconds: int = 300,
) -> Ints:
    """Return the key requests in each second while none of them is answered.

    Args:
        processes: How many there are; none has a key, and callers wait for all of them.
        jitter: What each draws for a wait, from 0 to 1.
        random: The source of chance for their starts.
        start_within: Seconds in which all of them start.
        seconds: How long to look.
    """
    error = ServiceUnavailableError("down")
    counts = np.zeros(seconds, np.int64)
    for start in random.uniform(0.0, start_within, processes).tolist():
        schedule, now = Schedule(), Moment(start, start)
        while now.wall < seconds:
            counts[int(now.wall)] += 1
            schedule.failed(error, now, jitter())
            now = schedule.due
    return counts
