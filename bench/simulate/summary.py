"""The numbers of a run that the page quotes, as they stand in `results.json`."""

import math
from typing import Final

import numpy as np

from .model.expiry import Herd
from .model.fleet import Backlog
from .model.outage import Outage
from .model.recovery import Recovery
from .series import Series

__all__ = ["Summary", "summary"]

type Summary = dict[str, dict[str, dict[str, float | None]]]
"""Numbers by what was simulated, by case, by name; `None` for what never comes."""

_SAMPLED_MINUTES: Final = (0, 15, 30, 60, 120)


def summary(series: Series) -> Summary:
    """Return the numbers, rounded so that they are the same on every machine.

    Args:
        series: What the run found out.
    """
    found: dict[str, dict[str, dict[str, float]]] = {
        "outages": {name: _outage(each) for name, each in series.outages.items()},
        "recoveries": {name: _recovery(each) for name, each in series.recoveries.items()},
        "herds": {name: _herd(each) for name, each in series.herds.items()},
        "rotations": {
            name: {
                "first": int(each[30:90].max()),
                "last": int(each[-60:].max()),
                "hourly": int(each.sum()) / (len(each) / 60),
            }
            for name, each in series.rotations.items()
        },
        "retries": {
            name: {"at_first": int(each[:30].max()), "later": int(each[-120:].max())}
            for name, each in series.retries.items()
        },
        "backlogs": {name: _backlog(each) for name, each in series.backlogs.items()},
    }
    return {
        what: {
            case: {name: _rounded(number) for name, number in numbers.items()}
            for case, numbers in cases.items()
        }
        for what, cases in found.items()
    }


def _outage(outage: Outage) -> dict[str, float]:
    return {
        "peak": outage.peak,
        "negotiations": int(outage.negotiations.sum()),
        "half_back": outage.half_back,
        "nearly_all_back": outage.nearly_all_back,
        "without_connection": int((outage.places < 0).sum()),
        "gave_up": outage.gave_up,
        "moved": outage.moved,
        "moved_in_vain": outage.moved_in_vain,
        "split_before": outage.split_before,
        "split_after": outage.split_after,
    }


def _recovery(recovery: Recovery) -> dict[str, float]:
    numbers = {f"home_{minute}": float(recovery.home[minute]) for minute in _SAMPLED_MINUTES}
    return {**numbers, "split_at_most": float(recovery.split.max())}


def _herd(herd: Herd) -> dict[str, float]:
    return {
        "peak_rate": herd.peak_rate,
        "mean_rate": float(herd.renewals[5:].mean()) / 60,
        "shortest_minutes": float(herd.lifetimes.min()) / 60,
        "mean_minutes": float(herd.lifetimes.mean()) / 60,
        "last_hour_peak_rate": float(herd.renewals[-60:].max()) / 60,
    }


def _backlog(backlog: Backlog) -> dict[str, float]:
    return {
        "served_after": backlog.served_after,
        "longest_wait": backlog.longest_wait,
        "most_waiting": float(backlog.waiting.max()),
        "instances": float(np.ceil(backlog.instances.max())),
    }


def _rounded(number: float) -> float | None:
    """Round to four digits."""
    if not math.isfinite(number):
        return None
    return float(f"{number:.4g}")
