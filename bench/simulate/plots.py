"""The plots of `docs/scaling.md`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from .series import Series

__all__ = ["draw"]

_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
"""Okabe and Ito's, which people tell apart who see colours differently."""

_STYLES: Final = ("-", "--", "-.", ":")


def draw(series: Series, folder: Path) -> None:
    """Draw every plot.

    Args:
        series: What the run found out.
        folder: Where the files go.
    """
    mpl.use("Agg")
    mpl.rcParams["axes.prop_cycle"] = cycler(color=_COLOURS, linestyle=_STYLES)
    _negotiations(series, folder)
    _connections(series, folder)
    _recoveries(series, folder)
    _herds(series, folder)
    _rotations(series, folder)
    _backlogs(series, folder)


def _new(rows: int, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with plots under one another."""
    figure, grid = plt.subplots(
        rows,
        1,
        figsize=(8, height),
        sharex=True,
        squeeze=False,
        layout="constrained",
        facecolor="white",
    )
    columns: list[Axes] = list(grid[:, 0])
    for axes in columns:
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    return figure, columns


def _save(figure: Figure, file: Path) -> None:
    figure.savefig(file, dpi=100, metadata={"Software": None})
    plt.close(figure)


@contextmanager
def _plot(file: Path, title: str, x: str, y: str) -> Iterator[Axes]:
    figure, (axes,) = _new(1, 4.2)
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    yield axes
    # Below the plot, where it hides no line.
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.16), ncols=2, frameon=False, fontsize=9)
    _save(figure, file)


def _negotiations(series: Series, folder: Path) -> None:
    figure, rows = _new(2, 5.2)
    figure.suptitle("One of three endpoints fails: negotiate requests at the function", fontsize=11)
    clients = {"default": "withAutomaticReconnect()", "jitter": "client with jitter"}
    for axes, (policy, title) in zip(rows, clients.items(), strict=True):
        for routing, label, width in (
            ("affinity", "affinity", 3.0),
            ("dice", "any healthy endpoint", 1.6),
        ):
            counts = series.outages[f"{routing}, {policy}, enough"].negotiations[:60]
            axes.step(range(len(counts)), counts, where="post", label=label, lw=width)
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_ylabel("requests a second")
        axes.legend(frameon=False, fontsize=9)
    rows[-1].set_xlabel("seconds since the failure")
    _save(figure, folder / "negotiations.png")


def _connections(series: Series, folder: Path) -> None:
    cases = {
        "affinity, default, enough": "enough units, default client",
        "affinity, jitter, enough": "enough units, client with jitter",
        "affinity, default, short": "too few units, default client",
    }
    title = "One of three endpoints fails: connections at one of the two that are left"
    with _plot(
        folder / "connections.png", title, "seconds since the failure", "connections"
    ) as axes:
        for name, label in cases.items():
            axes.plot(series.outages[name].connections[:90, 1], label=label, lw=1.8)
        limits = {name.split(", ")[2]: outage.limit for name, outage in series.outages.items()}
        for size, limit in limits.items():
            axes.axhline(limit, color="#555555", linestyle=(0, (1, 3)), lw=1.2)
            words = "enough" if size == "enough" else "too few"
            axes.annotate(
                f"limit with {words} units",
                (89, limit),
                (0, 3),
                ha="right",
                fontsize=9,
                textcoords="offset points",
            )
        axes.set_ylim(0, max(limits.values()) * 1.12)


def _recoveries(series: Series, folder: Path) -> None:
    title = "The endpoint is up again: its own clients, and users at two endpoints"
    with _plot(
        folder / "recovery.png", title, "minutes since it is up again", "share in percent"
    ) as axes:
        for name, recovery in series.recoveries.items():
            axes.plot(recovery.minutes, recovery.home * 100, label=f"back: {name}", lw=1.8)
        for name, recovery in series.recoveries.items():
            axes.plot(recovery.minutes, recovery.split * 100, label=f"split: {name}", lw=1.8)


def _herds(series: Series, folder: Path) -> None:
    figure, rows = _new(len(series.herds), 6.4)
    for axes, (name, herd), colour in zip(rows, series.herds.items(), _COLOURS, strict=True):
        rate = herd.renewals / 60
        axes.fill_between(range(len(rate)), rate, step="post", color=colour, lw=0)
        axes.set_title(f"tokens of {name}", loc="left", fontsize=10)
        axes.set_ylabel("a second")
    rows[-1].set_xlabel("minutes since the clients negotiated within one minute")
    figure.suptitle("Negotiate requests where connections end with their tokens", fontsize=11)
    _save(figure, folder / "herd.png")


def _rotations(series: Series, folder: Path) -> None:
    title = "1,000 processes that started together: requests at the auth API"
    with _plot(
        folder / "rotation.png", title, "hours since they started", "requests a minute"
    ) as axes:
        for name, counts in series.rotations.items():
            hours = np.arange(len(counts)) / 60
            axes.plot(hours, counts, label=name, lw=1.2, linestyle="-")
        axes.set_xlim(0, 12)


def _backlogs(series: Series, folder: Path) -> None:
    title = "A million clients negotiate within a minute: requests that wait"
    with _plot(
        folder / "backlog.png", title, "seconds since the first", "requests waiting"
    ) as axes:
        for name, backlog in series.backlogs.items():
            axes.plot(backlog.waiting[:420], label=name, lw=1.8)
        axes.set_ylim(bottom=0)
