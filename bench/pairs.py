"""Paired timings: the sides take turns, so that a noisy machine slows all of them alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter

__all__ = [
    "Row",
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


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: two sides of one run, or a count.

    Args:
        what: What was measured.
        against: What it is held against; "" for a count.
        value: Median of what was measured.
        other: The same of the other side.
        ratio: Median of the ratios turn by turn, in the direction of the target.
        target: What the ratio or the count is to be, as text.
        met: Whether it is.
        unit: What the figures are in.
    """

    what: str
    against: str
    value: float
    other: float | None
    ratio: float | None
    target: str
    met: bool
    unit: str = "µs"


def at_most(limit: float, turns: Turns, what: str, against: str) -> Row:
    """Return a row for a side that may take at most `limit` times as long as another."""
    ratio = _ratio(turns[what], turns[against])
    return _row(turns, what, against, ratio, f"≤ {limit:g}×", met=ratio <= limit)


def faster(factor: float, turns: Turns, what: str, against: str) -> Row:
    """Return a row for a side that is to be at least `factor` times as fast as another."""
    ratio = _ratio(turns[against], turns[what])
    return _row(turns, what, against, ratio, f"≥ {factor:g}× faster", met=ratio >= factor)


def at_least(factor: float, turns: Turns, what: str, against: str) -> Row:
    """Return a row for a side that is to reach `factor` times the rate of another."""
    ratio = _ratio(turns[against], turns[what])
    return _row(turns, what, against, ratio, f"≥ {factor:g}× rate", met=ratio >= factor)


def exactly(wanted: int, value: int, what: str) -> Row:
    """Return a row for what is to be counted, neither more nor less."""
    return Row(what, "", value, None, None, f"= {wanted}", value == wanted, "")


def take_turns(sides: Mapping[str, Callable[[int], object]], *, calls: int, rounds: int) -> Turns:
    """Time each side in turn, over and over.

    Args:
        sides: What to time, by name: each does as many calls as it is told.
        calls: Calls of one turn. Short turns keep what disturbs one side from missing the other.
        rounds: Turns of each side, after one that does not count.
    """
    timed = {name: partial(_microseconds, side, calls) for name, side in sides.items()}
    return take_timed_turns(timed, rounds=rounds)


def take_timed_turns(sides: Mapping[str, Callable[[], float]], *, rounds: int) -> Turns:
    """Let sides that time themselves take turns, over and over.

    Args:
        sides: What to call, by name: each returns the microseconds of one call.
        rounds: Turns of each side, after one that does not count.
    """
    turns: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, side in sides.items():
            microseconds = side()
            if number:
                turns[name].append(microseconds)
    return turns


def _microseconds(side: Callable[[int], object], calls: int) -> float:
    start = perf_counter()
    side(calls)
    return (perf_counter() - start) / calls * 1e6


def _ratio(first: list[float], second: list[float]) -> float:
    return median(one / other for one, other in zip(first, second, strict=True))


def _row(turns: Turns, what: str, against: str, ratio: float, target: str, *, met: bool) -> Row:
    return Row(what, against, median(turns[what]), median(turns[against]), ratio, target, met)
