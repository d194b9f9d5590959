"""The tables of `docs/performance.md`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["tables"]

_HEAD = "| what | | against | | ratio | target |\n|---|---|---|---|---|---|"


def tables(results: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the page's tables in Markdown, by the name of the measurement.

    Args:
        results: What `bench/results.json` holds.
    """
    by_measurement: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for table in results["tables"]:
        by_measurement[table["measurement"]].append(table)
    return {name: "\n\n".join(map(_table, found)) for name, found in by_measurement.items()}


def _table(table: Mapping[str, Any]) -> str:
    lines = [_line(row) for row in table["rows"]]
    return "\n".join([f"**{table['title']}**", "", _HEAD, *lines])


def _line(row: Mapping[str, Any]) -> str:
    missed = "" if row["met"] else ": **missed**"
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}×"
    cells: Sequence[str] = (
        row["what"],
        _figure(row["value"], row["unit"]),
        row["against"],
        "" if row["other"] is None else _figure(row["other"], row["unit"]),
        ratio,
        f"{row['target']}{missed}",
    )
    return f"| {' | '.join(cells)} |"


def _figure(value: float, unit: str) -> str:
    digits = 1 if unit and value < 1_000 else 0  # noqa: PLR2004  four digits are enough
    return f"{value:,.{digits}f} {unit}".strip()
