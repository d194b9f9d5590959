"""The command: `python -m fuzz`. Its exit status is 1 when something was found."""

import argparse
import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from fuzz.rows import Row, table
from fuzz.runs import described, guided, properties, property_tests
from fuzz.target import Target
from fuzz.targets import TARGETS

__all__ = ["main"]

_DESCRIPTION: Final = """\
Fuzz the parsers in every way that there is, each for some seconds: guided by coverage (atheris),
by properties (hypothesis, targets and property tests), and by OpenAPI descriptions (schemathesis,
emulator and app). With names, fuzz those targets alone."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz, print a table and return 1 if there are findings."""
    parser = argparse.ArgumentParser(
        prog="python -m fuzz",
        description=_DESCRIPTION,
        epilog=f"Targets: {', '.join(TARGETS)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="what to fuzz")
    parser.add_argument("--seconds", type=float, default=60, help="for each way (default: 60)")
    parser.add_argument("--file", type=Path, help="give the target this input alone")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.targets if name not in TARGETS]
    if unknown or (options.file and len(options.targets) != 1):
        parser.error(f"no target {unknown[0]!r}" if unknown else "--file goes with one target")
    # What a target says about its inputs is of no use to anybody.
    logging.disable()
    warnings.simplefilter("ignore")
    if options.file:
        TARGETS[options.targets[0]].run(options.file.read_bytes())
        return 0
    rows = list(_fuzz(options.targets, options.seconds))
    print(f"\n{table(rows)}")
    findings = [finding for row in rows for finding in row.findings]
    for finding in findings:
        print(f"Found: {finding}")
    return 1 if findings else 0


def _fuzz(names: Sequence[str], seconds: float) -> Iterator[Row]:
    chosen = [TARGETS[name] for name in names or TARGETS]
    yield from _each("guided by coverage", guided, chosen, seconds)
    yield from _each("by properties", properties, chosen, seconds)
    if names:
        return
    print(f"property tests, about {seconds:g} seconds", flush=True)
    yield from property_tests(seconds)
    print(f"descriptions, about {seconds:g} seconds", flush=True)
    yield from described(seconds)


def _each(
    how: str, run: Callable[[Target, float], Row], targets: Sequence[Target], seconds: float
) -> Iterator[Row]:
    """Share the time between the targets."""
    for number, target in enumerate(targets, 1):
        row = run(target, seconds / len(targets))
        found = f", FOUND {len(row.findings)}" if row.findings else ""
        print(
            f"{how} {number}/{len(targets)} {target.name}: {row.executions:,} inputs{found}",
            flush=True,
        )
        yield row


if __name__ == "__main__":
    sys.exit(main())
