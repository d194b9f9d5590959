"""The statistics of paired turns: what two builds took side by side, and whether a limit is met."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median, quantiles
from typing import Final, NamedTuple

__all__ = ["FEWEST_PAIRS", "Pair", "Ratio", "Verdict", "judge", "pair_of", "ratio_of"]

FEWEST_PAIRS: Final = 15
"""A limit is judged by so many pairs or more."""


class Pair(NamedTuple):
    """One turn of each build, the one right after the other.

    Args:
        present: What the present build took.
        other: What the other one took.
        ratio: Present by other.
    """

    present: float
    other: float
    ratio: float


class Verdict(StrEnum):
    """What became of a limit."""

    MET = "met"
    WITHIN_SPREAD = "met within the spread"
    MISSED = "MISSED"
    TOO_FEW = f"not judged by fewer than {FEWEST_PAIRS} pairs"


@dataclass(frozen=True, slots=True)
class Ratio:
    """What all pairs of one figure say.

    Args:
        present: Median of the present build.
        other: Median of the other one.
        ratio: Median of the pairs' ratios.
        low: A quarter of the pairs' ratios lie below it.
        high: A quarter of them lie above it.
        pairs: How many there are.
    """

    present: float
    other: float
    ratio: float
    low: float
    high: float
    pairs: int


def pair_of(slices: Sequence[tuple[float, float]]) -> Pair:
    """Return the pair of two processes that have taken turns, slice by slice.

    The ratio is the median of the slices' ratios, so that what disturbs one slice does not count.

    Args:
        slices: What the present build took and what the other one, at least once.
    """
    present, other = zip(*slices, strict=True)
    return Pair(median(present), median(other), median(one / two for one, two in slices))


def ratio_of(pairs: Sequence[Pair]) -> Ratio:
    """Return what pairs say together, with the interquartile range of their ratios.

    Args:
        pairs: At least one.
    """
    ratios = [each.ratio for each in pairs]
    # One alone has no quartiles.
    low, middle, high = quantiles(ratios * 2 if len(ratios) == 1 else ratios, method="inclusive")
    return Ratio(
        present=median(each.present for each in pairs),
        other=median(each.other for each in pairs),
        ratio=middle,
        low=low,
        high=high,
        pairs=len(pairs),
    )


def judge(ratio: Ratio, limit: float) -> Verdict:
    """Tell whether a ratio is at most a limit.

    It is missed when more than three quarters of the pairs lie above it. Where the limit lies
    within the interquartile range, the pairs do not tell.

    Args:
        ratio: What was measured.
        limit: How many times what the other build takes the present one may take.
    """
    if ratio.pairs < FEWEST_PAIRS:
        return Verdict.TOO_FEW
    if ratio.ratio <= limit:
        return Verdict.MET
    return Verdict.WITHIN_SPREAD if ratio.low <= limit else Verdict.MISSED
