"""Draws how the measurements stand to their targets."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from .interval import Verdict

__all__ = ["draw_grid", "draw_growth", "draw_targets"]

_COLOURS: Final = {
    Verdict.MET: "#2e7d32",
    Verdict.MISSED: "#c62828",
    Verdict.UNDECIDED: "#b26a00",
}
_LEGEND: Final = {
    Verdict.MET: "met",
    Verdict.UNDECIDED: "not decided: the spread reaches across the target",
    Verdict.MISSED: "missed",
}
_INTERVAL: Final = ("low", "middle", "high")
_TICKS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
_SMALL: Final[dict[str, Any]] = {"fontsize": 8, "va": "center"}
_OURS: Final = "#1565c0"
_COLUMNS: Final = 4


def draw_targets(tables: Sequence[dict[str, Any]], file: Path) -> None:
    """Draw each ratio as a share of its target, with its spread: right of the line is better.

    Args:
        tables: The tables as JSON.
        file: Where the picture goes.
    """
    mpl.use("Agg")
    rows = [(table, row) for table in tables for row in table["rows"] if row["ratio"] is not None]
    figure, axes = plt.subplots(figsize=(11, 0.36 * len(rows) + 1.3), layout="constrained")
    for place, (_, row) in enumerate(rows):
        low, middle, high = sorted(_share(row, row["ratio"][of]) for of in _INTERVAL)
        colour = _COLOURS[row["verdict"]]
        axes.plot((1, middle), (place, place), color=colour, linewidth=1, alpha=0.35)
        axes.plot((low, high), (place, place), color=colour, linewidth=5, solid_capstyle="butt")
        axes.plot(middle, place, marker="|", markersize=13, markeredgewidth=2, color=colour)
        text = f"{row['ratio']['middle']:,.2f}×, target {row['target']}"
        axes.annotate(text, (max(high, 1), place), (8, 0), textcoords="offset points", **_SMALL)
    axes.set_yticks(range(len(rows)), [_label(table, row) for table, row in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.axvline(1, color="#444444", linewidth=1.2)
    axes.set_xscale("log")
    most = max(_share(row, row["ratio"]["high"]) for _, row in rows)
    axes.set_xlim(right=max(most, 1) * 2.6)
    ticks = [tick for tick in _TICKS if axes.get_xlim()[0] <= tick <= most * 1.2]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel("share of the target: 1 is met, more is better (logarithmic)")
    legend = [Patch(color=_COLOURS[each], label=text) for each, text in _LEGEND.items()]
    axes.legend(
        handles=legend, loc="lower right", bbox_to_anchor=(1, 1), ncols=3, fontsize=8, frameon=False
    )
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.savefig(file, dpi=110, facecolor="white")
    plt.close(figure)


def draw_growth(tables: Sequence[dict[str, Any]], file: Path) -> None:
    """Draw each cost by size, beside the line of a cost that grows as the size does.

    Args:
        tables: The tables as JSON, each with a curve.
        file: Where the picture goes.
    """
    draw_grid(tables, _draw_curve, file, columns=_COLUMNS, width=12, height=2.9)


def draw_grid(
    plots: Sequence[dict[str, Any]],
    draw: Callable[[Axes, dict[str, Any]], None],
    file: Path,
    *,
    columns: int,
    width: float,
    height: float,
) -> None:
    """Draw a picture of many plots, line by line.

    Args:
        plots: What each of them shows, as JSON.
        draw: Draws one.
        file: Where the picture goes.
        columns: Plots in a line.
        width: Of the picture, in inches.
        height: Of a line, in inches.
    """
    mpl.use("Agg")
    lines = -(-len(plots) // columns)
    figure, grid = plt.subplots(
        lines, columns, figsize=(width, height * lines), layout="constrained", squeeze=False
    )
    for axes in grid.flat[len(plots) :]:
        axes.set_visible(False)
    for axes, plot in zip(grid.flat, plots, strict=False):
        draw(axes, plot)
    figure.savefig(file, dpi=110, facecolor="white")
    plt.close(figure)


def _draw_curve(axes: Axes, table: dict[str, Any]) -> None:
    sizes = [size for size, _ in table["curve"]]
    costs = [cost for _, cost in table["curve"]]
    linear = [costs[0] * size / sizes[0] for size in sizes]
    axes.loglog(sizes, linear, linestyle=":", color="#888888", label="as the size grows")
    axes.loglog(sizes, costs, marker="o", color=_OURS, label="measured")
    title, _, what = _title(table).rpartition(", ")
    axes.set_title(title, fontsize=10)
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.set_xlabel(what, fontsize=9)
    axes.set_ylabel("µs", fontsize=9)
    axes.set_ylim(bottom=min(costs) / 2, top=max(*costs, min(linear[-1], costs[0] * 30)) * 2)
    axes.legend(fontsize=7, frameon=False)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _share(row: dict[str, Any], ratio: float) -> float:
    """Return a ratio as a share of the row's target, turned over where less is better."""
    limit = float(row["target"].split()[1].removesuffix("×"))
    return limit / ratio if row["target"].startswith("≤") else ratio / limit


def _label(table: dict[str, Any], row: dict[str, Any]) -> str:
    return f"{_title(table)}\n{row['what']} / {row['against']}"


def _title(table: dict[str, Any]) -> str:
    """Return the title without the turns, which stand in brackets at its end."""
    title: str = table["title"]
    return title.partition(" (")[0]
