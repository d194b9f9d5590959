"""Draws how the measurements stand to their targets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

__all__ = ["draw_growth", "draw_targets"]

_MET: Final = "#2e7d32"
_MISSED: Final = "#c62828"
_OURS: Final = "#1565c0"
_COLUMNS: Final = 4


def draw_targets(tables: Sequence[dict[str, Any]], file: Path) -> None:
    """Draw each ratio as a share of its target: right of the line is better.

    Args:
        tables: The tables as JSON.
        file: Where the picture goes.
    """
    mpl.use("Agg")
    rows = [(table, row) for table in tables for row in table["rows"] if row["ratio"] is not None]
    rows.reverse()
    figure, axes = plt.subplots(figsize=(11, 0.42 * len(rows) + 1.6), layout="constrained")
    values = [_share(row) for _, row in rows]
    colours = [_MET if row["met"] else _MISSED for _, row in rows]
    bars = axes.barh(range(len(rows)), values, left=0, color=colours, height=0.62)
    texts = [f" {row['ratio']:.2f}×  (target {row['target']})" for _, row in rows]
    for label in axes.bar_label(bars, texts, fontsize=8):
        label.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.5})
    axes.set_yticks(range(len(rows)), [_label(table, row) for table, row in rows], fontsize=8)
    axes.axvline(1, color="#444444", linewidth=1.2)
    axes.set_xlim(0, max(values) * 1.35)
    axes.set_xlabel("share of the target: 1 is met, more is better")
    axes.set_title("Measured in one run, each against what stands beside it", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=110, facecolor="white")
    plt.close(figure)


def draw_growth(tables: Sequence[dict[str, Any]], file: Path) -> None:
    """Draw each cost by size, beside the line of a cost that grows as the size does.

    Args:
        tables: The tables as JSON, each with a curve.
        file: Where the picture goes.
    """
    mpl.use("Agg")
    lines = -(-len(tables) // _COLUMNS)
    figure, grid = plt.subplots(
        lines, _COLUMNS, figsize=(12, 2.9 * lines), layout="constrained", squeeze=False
    )
    for axes in grid.flat[len(tables) :]:
        axes.set_visible(False)
    for axes, table in zip(grid.flat, tables, strict=False):
        _draw_curve(axes, table)
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


def _share(row: dict[str, Any]) -> float:
    """Return the ratio as a share of its target, turned over where less is better."""
    limit = float(row["target"].split()[1].removesuffix("×"))
    ratio = float(row["ratio"])
    return limit / ratio if row["target"].startswith("≤") else ratio / limit


def _label(table: dict[str, Any], row: dict[str, Any]) -> str:
    return f"{_title(table)}\n{row['what']} / {row['against']}"


def _title(table: dict[str, Any]) -> str:
    """Return the title without the turns, which stand in brackets at its end."""
    title: str = table["title"]
    return title.partition(" (")[0]
