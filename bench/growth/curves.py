"""What was measured, by size."""

from collections.abc import Sequence
from typing import NamedTuple

from ..interval import interval_of

__all__ = ["Curve", "Point", "point"]


class Point(NamedTuple):
    """What something costs at a size.

    Args:
        size: How many there are.
        low: The cost is hardly less than this.
        middle: The median of all turns.
        high: Nor more than this.
    """

    size: int
    low: float
    middle: float
    high: float


class Curve(NamedTuple):
    """What something costs at several sizes.

    Args:
        what: What it is, and of what.
        by: What there is more and more of.
        unit: What the cost is in.
        points: From the smallest size to the largest.
    """

    what: str
    by: str
    unit: str
    points: Sequence[Point]


def point(size: int, turns: Sequence[float]) -> Point:
    """Return the point of some turns, with the interval of their median.

    Args:
        size: How many there are.
        turns: What each has taken.
    """
    found = interval_of(turns)
    return Point(size, found.low, found.middle, found.high)
