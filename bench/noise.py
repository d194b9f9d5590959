"""The machine's own noise: what a loop takes that never changes."""

from collections.abc import Sequence
from statistics import median, quantiles
from time import perf_counter
from typing import Final, NamedTuple

__all__ = ["Swing", "swing_of", "time_loop"]

_ADDITIONS: Final = 30_000


class Swing(NamedTuple):
    """How the loop's time swung while something was measured, in microseconds.

    Args:
        middle: The median.
        low: A quarter of the times are below it.
        high: A quarter of them are above it.
        slowest: One of twenty is above it.
        times: How many there are.
    """

    middle: float
    low: float
    high: float
    slowest: float
    times: int

    def __str__(self) -> str:
        """Return the line that stands below what was measured."""
        return (
            f"a fixed loop of Python took {self.middle:,.0f} µs, half of {self.times:,} times "
            f"{self.low:,.0f} to {self.high:,.0f} µs, one of twenty over {self.slowest:,.0f} µs"
        )


def time_loop() -> float:
    """Run the loop, and return the microseconds that it has taken."""
    began = perf_counter()
    total = 0
    for number in range(_ADDITIONS):
        total += number
    return (perf_counter() - began) * 1e6


def swing_of(times: Sequence[float]) -> Swing:
    """Return how the loop swung.

    Args:
        times: What it took each time, twice at least.
    """
    low, _, high = quantiles(times, method="inclusive")
    slowest = quantiles(times, n=20, method="inclusive")[-1]
    return Swing(median(times), low, high, slowest, len(times))
