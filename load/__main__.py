"""The command: `python -m load steady`, `python -m load chaos`, `python -m load report`."""

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from signalr_emulator.open_files import raise_open_file_limit

from docs.page import with_tables

from .chaos import Chaos
from .faults import FAULTS, QUICK
from .processes import ROOT
from .report import Report, chaos_report, steady_report
from .rig import rig
from .run import Options, carry_out, say
from .tables import tables

__all__ = ["main"]

_STEADY: Final = Path("docs/load.json")
_CHAOS: Final = Path("docs/chaos.json")
_CALM, _SHORT_CALM = 5.0, 0.5
"""Seconds of undisturbed traffic between two faults."""

_PAGE: Final = ROOT / "docs" / "reliability.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit status: 0 if everything was as promised.
    """
    chosen = _parser().parse_args(arguments)
    if chosen.command == "report":
        _renew_page()
        return 0
    raise_open_file_limit()
    seed = random.randrange(10_000) if chosen.seed is None else chosen.seed
    options = Options(chosen.clients, chosen.minutes * 60, seed)
    say(f"seed {options.seed}")
    with tempfile.TemporaryDirectory() as folder:
        if chosen.command == "steady":
            report = steady(options, Path(folder))
        else:
            report = chaos(options, Path(folder), quick=chosen.quick)
    report.write(chosen.report)
    say(report.summary())
    return 1 if report.problems else 0


def steady(options: Options, folder: Path) -> Report:
    """Do a run that nothing disturbs.

    Args:
        options: What is chosen.
        folder: Where files of the run go.
    """
    with rig(folder, endpoints=1, workers=1) as running:
        return steady_report(options, asyncio.run(carry_out(running, options)))


def chaos(options: Options, folder: Path, *, quick: bool) -> Report:
    """Do a run that faults disturb.

    Args:
        options: What is chosen.
        folder: Where files of the run go.
        quick: Whether only the faults that take seconds happen.
    """
    faults, calm = (QUICK, _SHORT_CALM) if quick else (FAULTS, _CALM)
    disturbing = Chaos(faults, options.seconds, options.seed, calm=calm)
    with rig(folder, endpoints=2, workers=2) as running:
        outcome = asyncio.run(carry_out(running, options, disturbing.run))
    return chaos_report(options, outcome, disturbing.windows, disturbing.leaps)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m load",
        description="Puts thousands of clients on the running app and accounts for every message.",
        epilog="The exit status is 1 if a message is lost, doubled, out of order or misdirected, if"
        " something fails without a fault that explains it, if memory grows, or if a promise of"
        " docs/reliability.md is broken.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what, report in (
        ("steady", "mixed traffic without faults", _STEADY),
        ("chaos", "the same under every fault, then under faults at random", _CHAOS),
    ):
        run = commands.add_parser(name, help=what)
        run.add_argument(
            "--minutes", type=float, default=10.0, help="how long traffic flows (%(default)g)"
        )
        run.add_argument(
            "--clients", type=int, default=2000, help="clients that are connected (%(default)s)"
        )
        run.add_argument(
            "--seed", type=int, help="decides what happens when (a random one, which is printed)"
        )
        run.add_argument(
            "--report", type=Path, default=report, help="file for the report (%(default)s)"
        )
        if name == "chaos":
            run.add_argument(
                "--quick", action="store_true", help="only the faults that take seconds"
            )
    commands.add_parser("report", help="write the reports' figures into docs/reliability.md")
    return parser


def _renew_page() -> None:
    chaos_figures, steady_figures = (
        json.loads((ROOT / path).read_text()) for path in (_CHAOS, _STEADY)
    )
    _PAGE.write_text(with_tables(_PAGE.read_text(), tables(chaos_figures, steady_figures)))


if __name__ == "__main__":
    sys.exit(main())
