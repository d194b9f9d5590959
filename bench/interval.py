"""Where the median of noisy turns lies, and what that says of a target."""

from collections.abc import Sequence
from enum import StrEnum
from itertools import accumulate
from math import comb
from statistics import median
from typing import Final, NamedTuple

__all__ = ["FEWEST_TURNS", "LOOKS", "Interval", "Verdict", "at_least", "at_most", "interval_of"]

FEWEST_TURNS: Final = 15
"""Fewer turns decide nothing."""

LOOKS: Final = 3
"""How often it is looked whether the turns decide, each time with twice as many as before."""

_ERROR: Final = 0.05 / LOOKS
"""How often one look may be wrong, so that all of them together are in one of twenty runs."""


class Interval(NamedTuple):
    """What the ratios of all turns say of their median.

    Args:
        low: The median that a machine without noise would show is hardly below it.
        middle: The median of these turns.
        high: Nor is it above this.
        turns: How many there are.
    """

    low: float
    middle: float
    high: float
    turns: int


class Verdict(StrEnum):
    """What became of a target."""

    MET = "met"
    MISSED = "missed"
    UNDECIDED = "undecided"


def interval_of(ratios: Sequence[float]) -> Interval:
    """Return the interval of the median by order statistics.

    Each turn lies below the true median as often as a coin shows heads, whatever the noise looks
    like, so that the interval reaches from the turn of some rank to the one of the same rank from
    above. Confidence is 95 % for all looks together. So few turns that none of the ranks would do
    are given from the lowest to the highest.

    Args:
        ratios: One of each turn, at least one.
    """
    ordered = sorted(ratios)
    turns = len(ordered)
    heads = accumulate(comb(turns, below) for below in range(turns))
    rank = sum(1 for chance in heads if 2 * chance <= _ERROR * 2**turns)
    at = max(rank - 1, 0)
    return Interval(ordered[at], median(ordered), ordered[-1 - at], turns)


def at_most(limit: float, ratio: Interval) -> Verdict:
    """Tell whether a ratio is at most a limit: only if all of its interval lies on one side."""
    if ratio.turns < FEWEST_TURNS or ratio.low <= limit < ratio.high:
        return Verdict.UNDECIDED
    return Verdict.MET if ratio.high <= limit else Verdict.MISSED


def at_least(limit: float, ratio: Interval) -> Verdict:
    """Tell whether a ratio is at least a limit: only if all of its interval lies on one side."""
    if ratio.turns < FEWEST_TURNS or ratio.low < limit <= ratio.high:
        return Verdict.UNDECIDED
    return Verdict.MET if ratio.low >= limit else Verdict.MISSED
