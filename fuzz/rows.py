"""What a run tells: a line for each target, and how to see each finding again."""

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Row", "table"]


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one target.

    Args:
        how: How it was fuzzed.
        target: Its name.
        executions: How many inputs it was given.
        findings: What shows each finding again: a command, or the name of a test.
    """

    how: str
    target: str
    executions: int
    findings: tuple[str, ...] = ()


def table(rows: Iterable[Row]) -> str:
    """Return rows as a table of text."""
    head = ("how", "target", "executions", "findings")
    lines = [
        head,
        *((row.how, row.target, f"{row.executions:,}", str(len(row.findings))) for row in rows),
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        f"{how:{widths[0]}}  {target:{widths[1]}}  {count:>{widths[2]}}  {findings:>{widths[3]}}"
        for how, target, count, findings in lines
    )
