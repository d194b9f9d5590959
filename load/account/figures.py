"""What many figures come to: growth and percentiles. Pure."""

from collections.abc import Sequence
from typing import Final

__all__ = ["growth", "percentiles"]

_PERCENTS: Final = (50, 90, 99)


def growth(times: Sequence[float], values: Sequence[float]) -> float:
    """Give by how much a series grows over its second half, by the straight line that fits best.

    Args:
        times: When each value was taken.
        values: The values.
    """
    half = len(times) // 2
    xs, ys = times[half:], values[half:]
    if len(xs) < 2 or xs[0] == xs[-1]:  # noqa: PLR2004  two points make a line
        return 0.0
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    covariance = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    variance = sum((x - mean_x) ** 2 for x in xs)
    return covariance / variance * (xs[-1] - xs[0])


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Give percentiles and the maximum, in milliseconds."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    last = len(ordered) - 1
    found = {f"p{percent}": ordered[round(last * percent / 100)] for percent in _PERCENTS}
    return {name: round(value * 1000, 2) for name, value in {**found, "max": ordered[-1]}.items()}
