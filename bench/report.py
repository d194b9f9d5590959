"""Prints the tables of a measurement, and hands them on to whoever runs several."""

import argparse
import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .interval import Verdict
from .noise import swing_of
from .pairs import Row, Taken

__all__ = ["SAID", "Table", "parser", "run", "table_of"]

SAID: Final = {Verdict.MET: "pass", Verdict.MISSED: "FAIL", Verdict.UNDECIDED: "not decided"}


@dataclass(frozen=True, slots=True)
class Table:
    """What belongs together.

    Args:
        title: What was measured, by the names of Azure's performance guide where it has one.
        rows: The lines.
        loop: Microseconds of a loop that never changes, meanwhile.
        curve: Cost in microseconds by size, where growth was measured.
    """

    title: str
    rows: Sequence[Row]
    loop: Sequence[float] = ()
    curve: Sequence[tuple[int, float]] = ()


def table_of(
    title: str,
    *taken: Taken,
    counts: Sequence[Row] = (),
    curve: Sequence[tuple[int, float]] = (),
) -> Table:
    """Return the table of turns that were taken.

    Args:
        title: What was measured.
        taken: The turns, with their rows.
        counts: Rows that have none, below them.
        curve: Cost in microseconds by size, where growth was measured.
    """
    rows = [row for each in taken for row in each.rows]
    loop = [time for each in taken for time in each.loop]
    return Table(title, [*rows, *counts], loop, curve)


def parser(module: str, description: str | None) -> argparse.ArgumentParser:
    """Return the command line of a measurement.

    Args:
        module: Name of the module in `bench`.
        description: What is measured.
    """
    arguments = argparse.ArgumentParser(
        prog=f"python -m bench.{module}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    arguments.add_argument("--json", type=Path, help="file for the tables, as JSON")
    return arguments


def run(tables: Callable[[], Iterator[Table]], json_file: Path | None) -> int:
    """Print each table as soon as it is there.

    Args:
        tables: Measures.
        json_file: Where to write the tables to.

    Returns:
        The exit status: 1 when a target is missed, and not when noise leaves it undecided.
    """
    done: list[Table] = []
    for table in tables():
        _print(table)
        done.append(table)
    if loop := [time for table in done for time in table.loop]:
        print(f"\n  Meanwhile {swing_of(loop)}", flush=True)
    if json_file is not None:
        json_file.write_text(json.dumps([_in_json(table) for table in done]))
    missed = any(row.verdict is Verdict.MISSED for table in done for row in table.rows)
    return 1 if missed else 0


def _in_json(table: Table) -> Mapping[str, Any]:
    return {**dataclasses.asdict(table), "rows": [_row_in_json(row) for row in table.rows]}


def _row_in_json(row: Row) -> Mapping[str, Any]:
    return {**dataclasses.asdict(row), "ratio": row.ratio and row.ratio._asdict()}


def _print(table: Table) -> None:
    print(f"\n{table.title}\n")
    lines = [_cells(row) for row in table.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = zip(line, widths, "<><>>>><<", strict=True)
        print(
            "  " + "  ".join(f"{cell:{align}{width}}" for cell, width, align in cells), flush=True
        )


def _cells(row: Row) -> tuple[str, ...]:
    ratio = row.ratio
    return (
        row.what,
        _figure(row.value, row.unit),
        row.against,
        "" if row.other is None else _figure(row.other, row.unit),
        "" if ratio is None else f"{ratio.middle:.2f}×",
        "" if ratio is None else f"{ratio.low:.2f} to {ratio.high:.2f}",
        "" if ratio is None else f"{ratio.turns} turns",
        f"target {row.target}",
        SAID[row.verdict],
    )


def _figure(value: float, unit: str) -> str:
    return f"{value:,.1f} {unit}" if unit else f"{value:,.0f}"
