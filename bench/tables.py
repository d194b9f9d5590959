"""The tables of `docs/performance.md`."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from docs.page import with_tables

from .interval import Verdict
from .noise import Swing

__all__ = ["growth_tables", "renew_page", "stored_tables", "tables"]

_HERE: Final = Path(__file__).parent
_RESULTS: Final = ("results.json", "growth/results.json")
_PAGE: Final = _HERE.parent / "docs" / "performance.md"
_HEAD: Final = (
    "| what | | against | | ratio | spread | turns | target |\n|---|---|---|---|---|---|---|---|"
)
_SAID: Final = {
    Verdict.MET: "",
    Verdict.MISSED: ": **missed**",
    Verdict.UNDECIDED: ": *not decided*",
}


def renew_page() -> None:
    """Write the results that are stored into the page."""
    _PAGE.write_text(with_tables(_PAGE.read_text(), stored_tables()))


def stored_tables() -> Mapping[str, str]:
    """Return every table of the page, of the last run of each command."""
    results, growth = (json.loads((_HERE / file).read_text()) for file in _RESULTS)
    return {**tables(results), **growth_tables(growth)}


def growth_tables(growth: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the tables of what grows in Markdown, by its name.

    Args:
        growth: What `bench/growth/results.json` holds.
    """
    found = {}
    for name, curves in growth["curves"].items():
        by_size: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for curve in curves:
            by_size[curve["by"]].append(curve)
        found[f"growth_{name}"] = "\n\n".join(
            _growth_table(by, each) for by, each in by_size.items()
        )
    return found


def tables(results: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the page's tables in Markdown, by the name of the measurement, and a line on noise.

    Args:
        results: What `bench/results.json` holds.
    """
    by_measurement: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for table in results["tables"]:
        by_measurement[table["measurement"]].append(table)
    found = {name: "\n\n".join(map(_table, each)) for name, each in by_measurement.items()}
    return {**found, "noise": f"Meanwhile {Swing(**results['loop'])}."}


def _table(table: Mapping[str, Any]) -> str:
    lines = [_line(row) for row in table["rows"]]
    return "\n".join([f"**{table['title']}**", "", _HEAD, *lines])


def _growth_table(by: str, curves: Sequence[Mapping[str, Any]]) -> str:
    sizes = [f"{size:,}" for size, *_ in curves[0]["points"]]
    lines = [
        [curve["what"], *(_figure(middle, curve["unit"]) for _, _, middle, _ in curve["points"])]
        for curve in curves
    ]
    rows = [[by, *sizes], ["---", *("---:" for _ in sizes)], *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _line(row: Mapping[str, Any]) -> str:
    ratio = row["ratio"]
    cells: Sequence[str] = (
        row["what"],
        _figure(row["value"], row["unit"]),
        row["against"],
        "" if row["other"] is None else _figure(row["other"], row["unit"]),
        "" if ratio is None else f"{ratio['middle']:.2f}×",
        "" if ratio is None else f"{ratio['low']:.2f} to {ratio['high']:.2f}",
        "" if ratio is None else f"{ratio['turns']}",
        f"{row['target']}{_SAID[row['verdict']]}",
    )
    return f"| {' | '.join(cells)} |"


def _figure(value: float, unit: str) -> str:
    digits = 1 if unit and value < 1_000 else 0  # noqa: PLR2004  four digits are enough
    return f"{value:,.{digits}f} {unit}".strip()
