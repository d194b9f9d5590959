"""Paired timings: the sides take turns, so that a noisy machine slows all of them alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter

from . import interval
from .interval import LOOKS, Interval, Verdict, interval_of
from .noise import time_loop

__all__ = [
    "Row",
    "Taken",
    "Turns",
    "at_least",
    "at_most",
    "exactly",
    "faster",
    "take_timed_turns",
    "take_turns",
]


type Turns = Mapping[str, list[float]]
"""Microseconds of one call in each turn, by the side's name."""

type Judge = Callable[[Turns], Sequence[Row]]
"""Holds the turns so far against the targets."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: two sides of one run, or a count.

    Args:
        what: What was measured.
        against: What it is held against; "" for a count.
        value: Median of what was measured.
        other: The same of the other side.
        ratio: The ratios turn by turn, in the direction of the target; `None` for a count.
        target: What the ratio or the count is to be, as text.
        verdict: Whether it is.
        unit: What the figures are in.
    """

    what: str
    against: str
    value: float
    other: float | None
    ratio: Interval | None
    target: str
    verdict: Verdict
    unit: str = "µs"


@dataclass(frozen=True, slots=True)
class Taken:
    """Turns that were taken.

    Args:
        turns: What each took.
        rows: What the targets say of them.
        loop: Microseconds of a loop that never changes, before each turn.
    """

    turns: Turns
    rows: Sequence[Row]
    loop: Sequence[float]


def at_most(limit: float, turns: Turns, what: str, against: str, unit: str = "µs") -> Row:
    """Return a row for a side that may take at most `limit` times as much as another."""
    ratio = _ratio(turns[what], turns[against])
    verdict = interval.at_most(limit, ratio)
    medians = _medians(turns, what, against)
    return Row(what, against, *medians, ratio, f"≤ {limit:g}×", verdict, unit)


def faster(factor: float, turns: Turns, what: str, against: str) -> Row:
    """Return a row for a side that is to be at least `factor` times as fast as another."""
    return _at_least(factor, turns, what, against, f"≥ {factor:g}× faster")


def at_least(factor: float, turns: Turns, what: str, against: str) -> Row:
    """Return a row for a side that is to reach `factor` times the rate of another."""
    return _at_least(factor, turns, what, against, f"≥ {factor:g}× rate")


def exactly(wanted: int, value: int, what: str) -> Row:
    """Return a row for what is to be counted, neither more nor less."""
    verdict = Verdict.MET if value == wanted else Verdict.MISSED
    return Row(what, "", value, None, None, f"= {wanted}", verdict, "")


def take_turns(
    sides: Mapping[str, Callable[[int], object]], judge: Judge, *, calls: int, rounds: int
) -> Taken:
    """Time each side in turn, over and over.

    Args:
        sides: What to time, by name: each does as many calls as it is told.
        judge: Tells whether there have to be more turns.
        calls: Calls of one turn. Short turns keep what disturbs one side from missing the other.
        rounds: Turns of each side, after one that does not count.
    """
    timed = {name: partial(_microseconds, side, calls) for name, side in sides.items()}
    return take_timed_turns(timed, judge, rounds=rounds)


def take_timed_turns(
    sides: Mapping[str, Callable[[], float]], judge: Judge, *, rounds: int
) -> Taken:
    """Let sides that time themselves take turns, until these decide or have been doubled twice.

    Args:
        sides: What to call, by name: each returns the microseconds of one call.
        judge: Tells whether there have to be more turns.
        rounds: Turns of each side before it is asked, after one that does not count.
    """
    turns: dict[str, list[float]] = {name: [] for name in sides}
    loop: list[float] = []
    rows: Sequence[Row] = ()
    for side in sides.values():
        side()
    for look in range(LOOKS):
        while len(loop) < rounds * 2**look:
            loop.append(time_loop())
            for name, side in sides.items():
                turns[name].append(side())
        rows = judge(turns)
        if all(row.verdict is not Verdict.UNDECIDED for row in rows):
            break
    return Taken(turns, rows, loop)


def _microseconds(side: Callable[[int], object], calls: int) -> float:
    start = perf_counter()
    side(calls)
    return (perf_counter() - start) / calls * 1e6


def _ratio(first: list[float], second: list[float]) -> Interval:
    return interval_of([one / other for one, other in zip(first, second, strict=True)])


def _at_least(factor: float, turns: Turns, what: str, against: str, target: str) -> Row:
    ratio = _ratio(turns[against], turns[what])
    verdict = interval.at_least(factor, ratio)
    return Row(what, against, *_medians(turns, what, against), ratio, target, verdict)


def _medians(turns: Turns, what: str, against: str) -> tuple[float, float]:
    return median(turns[what]), median(turns[against])
