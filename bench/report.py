"""Prints the tables of a measurement, and hands them on to whoever runs several."""

import argparse
import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .pairs import Row

__all__ = ["Table", "parser", "run"]


@dataclass(frozen=True, slots=True)
class Table:
    """What belongs together.

    Args:
        title: What was measured, by the names of Azure's performance guide where it has one.
        rows: The lines.
        curve: Cost in microseconds by size, where growth was measured.
    """

    title: str
    rows: Sequence[Row]
    curve: Sequence[tuple[int, float]] = ()


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
        The exit status: 1 when a target is missed.
    """
    done: list[Table] = []
    for table in tables():
        _print(table)
        done.append(table)
    if json_file is not None:
        json_file.write_text(json.dumps([dataclasses.asdict(table) for table in done]))
    return 0 if all(row.met for table in done for row in table.rows) else 1


def _print(table: Table) -> None:
    print(f"\n{table.title}\n")
    lines = [_cells(row) for row in table.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = zip(line, widths, "<><>><<", strict=True)
        print(
            "  " + "  ".join(f"{cell:{align}{width}}" for cell, width, align in cells), flush=True
        )


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.what,
        _figure(row.value, row.unit),
        row.against,
        "" if row.other is None else _figure(row.other, row.unit),
        "" if row.ratio is None else f"{row.ratio:.2f}×",
        f"target {row.target}",
        "pass" if row.met else "FAIL",
    )


def _figure(value: float, unit: str) -> str:
    return f"{value:,.1f} {unit}" if unit else f"{value:,.0f}"
