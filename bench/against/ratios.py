"""What two builds took side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from ..interval import Interval, interval_of

__all__ = ["Pair", "Ratio", "pair_of", "ratio_of"]


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


@dataclass(frozen=True, slots=True)
class Ratio:
    """What all pairs of one figure say.

    Args:
        present: Median of the present build.
        other: Median of the other one.
        by: The pairs' ratios.
    """

    present: float
    other: float
    by: Interval


def pair_of(slices: Sequence[tuple[float, float]]) -> Pair:
    """Return the pair of two processes that have taken turns, slice by slice.

    The ratio is the median of the slices' ratios, so that what disturbs one slice does not count.

    Args:
        slices: What the present build took and what the other one, at least once.
    """
    present, other = zip(*slices, strict=True)
    return Pair(median(present), median(other), median(one / two for one, two in slices))


def ratio_of(pairs: Sequence[Pair]) -> Ratio:
    """Return what pairs say together.

    Args:
        pairs: At least one.
    """
    return Ratio(
        present=median(each.present for each in pairs),
        other=median(each.other for each in pairs),
        by=interval_of([each.ratio for each in pairs]),
    )
