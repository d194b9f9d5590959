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
from matplotlib.ticker import FuncFormatter

from bench.simulate.series import Series

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


@contextmanager
def _plot(file: Path, title: str, x: str, y: str) -> Iterator[Axes]:
    figure, axes = plt.subplots(figsize=(8, 4.2), layout="constrained", facecolor="white")
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    yield axes
    # Below the plot, where it hides no line.
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.16), ncols=2, frameon=False, fontsize=9)
    figure.savefig(file, dpi=110, metadata={"Software": None})
    plt.close(figure)


def _negotiations(series: Series, folder: Path) -> None:
    cases = {
        "affinity, default, enough": "affinity, default client",
        "affinity, jitter, enough": "affinity, client with jitter",
        "dice, default, enough": "any endpoint, default client",
        "dice, jitter, enough": "any endpoint, client with jitter",
    }
    title = "One of three endpoints fails: negotiate requests at the function"
    with _plot(
        folder / "negotiations.png", title, "seconds since the failure", "requests a second"
    ) as axes:
        for name, label in cases.items():
            counts = series.outages[name].negotiations[:60]
            axes.step(range(len(counts)), np.maximum(counts, 1), where="post", label=label, lw=1.6)
        axes.set_yscale("log")


def _connections(series: Series, folder: Path) -> None:
    cases = {
        "affinity, default, enough": "enough units, default client",
        "affinity, jitter, enough": "enough units, client with jitter",
        "affinity, default, short": "too few units, default client",
        "affinity, jitter, short": "too few units, client with jitter",
    }
    title = "Connections at one of the two endpoints that are left"
    with _plot(
        folder / "connections.png", title, "seconds since the failure", "connections"
    ) as axes:
        for name, label in cases.items():
            axes.plot(series.outages[name].connections[:90, 1], label=label, lw=1.8)
        axes.set_ylim(bottom=0)


def _recoveries(series: Series, folder: Path) -> None:
    title = "The endpoint is up again: where its clients are"
    with _plot(
        folder / "recovery.png", title, "minutes since it is up again", "share in percent"
    ) as axes:
        for name, recovery in series.recoveries.items():
            axes.plot(recovery.minutes, recovery.home * 100, label=f"back home: {name}", lw=1.8)
        for name, recovery in series.recoveries.items():
            label = f"users at two endpoints: {name}"
            axes.plot(recovery.minutes, recovery.split * 100, label=label, lw=1.8)


def _herds(series: Series, folder: Path) -> None:
    figure, rows = plt.subplots(
        len(series.herds), 1, figsize=(8, 6.4), sharex=True, layout="constrained", facecolor="white"
    )
    for axes, (name, herd), colour in zip(rows, series.herds.items(), _COLOURS, strict=True):
        rate = herd.renewals / 60
        axes.fill_between(range(len(rate)), rate, step="post", color=colour, lw=0)
        axes.set_title(f"tokens of {name}", loc="left", fontsize=10)
        axes.set_ylabel("a second")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    rows[-1].set_xlabel("minutes since the clients negotiated within one minute")
    figure.suptitle("Negotiate requests where connections end with their tokens", fontsize=11)
    figure.savefig(folder / "herd.png", dpi=110, metadata={"Software": None})
    plt.close(figure)


def _rotations(series: Series, folder: Path) -> None:
    title = "1,000 processes that started together: requests at the auth API"
    with _plot(
        folder / "rotation.png", title, "hours since they started", "requests a minute"
    ) as axes:
        for name, counts in reversed(series.rotations.items()):
            hours = np.arange(len(counts)) / 60
            axes.plot(hours, counts, label=name, lw=1.2)
        axes.set_xlim(0, 12)


def _backlogs(series: Series, folder: Path) -> None:
    title = "A million clients negotiate within a minute: requests that wait"
    with _plot(
        folder / "backlog.png", title, "seconds since the first", "requests waiting"
    ) as axes:
        for name, backlog in series.backlogs.items():
            axes.plot(backlog.waiting[:420], label=name, lw=1.8)
        axes.set_ylim(bottom=0)
