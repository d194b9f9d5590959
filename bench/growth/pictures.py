"""The pictures of what grows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes

from ..plot import draw_grid

__all__ = ["draw"]

_COLUMNS: Final = 3
_COLOUR: Final = "#1565c0"
_HEADROOM: Final = 1.35
"""A curve that does not grow lies in the upper part of its plot, and is not drawn as if it did."""


def draw(curves: Sequence[dict[str, Any]], file: Path) -> None:
    """Draw each cost by size, from zero on, with the interval of its median.

    Args:
        curves: As JSON.
        file: Where the picture goes.
    """
    draw_grid(curves, _draw_curve, file, columns=_COLUMNS, width=11, height=2.7)


def _draw_curve(axes: Axes, curve: dict[str, Any]) -> None:
    sizes, lows, middles, highs = zip(*curve["points"], strict=True)
    whiskers = (
        [middle - low for middle, low in zip(middles, lows, strict=True)],
        [high - middle for middle, high in zip(middles, highs, strict=True)],
    )
    axes.errorbar(sizes, middles, whiskers, marker="o", markersize=4, capsize=3, color=_COLOUR)
    axes.set_xscale("log")
    axes.set_ylim(0, max(highs) * _HEADROOM or 1)
    axes.set_title(curve["what"], fontsize=9, loc="left")
    ends = [sizes[0], sizes[len(sizes) // 2], sizes[-1]]
    axes.set_xticks(ends, [f"{size:,}" for size in ends])
    axes.minorticks_off()
    axes.set_xlabel(curve["by"], fontsize=8)
    axes.set_ylabel(curve["unit"], fontsize=8)
    axes.grid(axis="y", alpha=0.3)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
