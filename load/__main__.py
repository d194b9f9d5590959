"""The command: `python -m load steady`, or `storm`, `server-connections`, `chaos`, `report`."""

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
from .server_connections.report import breaks_report
from .server_connections.rig import rig as server_connections_rig
from .server_connections.run import Breaks
from .storm.report import storm_report
from .storm.run import carry_out as carry_out_storm
from .tables import tables

__all__ = ["main"]

_STEADY: Final = Path("docs/load.json")
_CHAOS: Final = Path("docs/chaos.json")
_STORM: Final = Path("docs/storm.json")
_SERVER_CONNECTIONS: Final = Path("docs/server-connections.json")
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
    with tempfile.TemporaryDirectory() as folder:
        report = _run(chosen, Path(folder))
    report.write(chosen.report)
    say(report.summary())
    return 1 if report.problems else 0


def _run(chosen: argparse.Namespace, folder: Path) -> Report:
    if chosen.command == "storm":
        return storm(chosen.clients, folder)
    seed = random.randrange(10_000) if chosen.seed is None else chosen.seed
    options = Options(chosen.clients, chosen.minutes * 60, seed)
    say(f"seed {options.seed}")
    if chosen.command == "steady":
        return steady(options, folder)
    if chosen.command == "server-connections":
        return server_connections(options, folder, every=chosen.every)
    return chaos(options, folder, quick=chosen.quick)


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


def server_connections(options: Options, folder: Path, *, every: float) -> Report:
    """Do a run with an app server, one of whose server connections breaks now and then.

    Args:
        options: What is chosen.
        folder: Where files of the run go.
        every: Seconds from one break to the next.
    """
    breaks = Breaks(options.seconds, every)
    with server_connections_rig(folder) as running:
        outcome = asyncio.run(carry_out(running, options, breaks.run))
    return breaks_report(options, outcome, breaks.done)


def storm(clients: int, folder: Path) -> Report:
    """Do a run in which clients renew their sign-ins all at once.

    Args:
        clients: How many do.
        folder: Where files of the run go.
    """
    closing = {"NEGOTIATE_CLOSE_ON_EXPIRATION": "true"}
    with rig(folder, endpoints=1, workers=1, settings=closing) as running:
        return storm_report(clients, asyncio.run(carry_out_storm(running, clients)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m load",
        description="Puts thousands of clients on the running app and accounts for every message.",
        epilog="The exit status is 1 if a message is lost, doubled, out of order or misdirected, if"
        " something fails without a fault that explains it, if memory grows, if a sign-in is not"
        " renewed, or if a promise of docs/reliability.md is broken.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what, report in (
        ("steady", "mixed traffic without faults", _STEADY),
        ("storm", "all clients renew their sign-ins in the same second", _STORM),
        (
            "server-connections",
            "the traffic with an app server, whose server connections break one after another",
            _SERVER_CONNECTIONS,
        ),
        ("chaos", "the traffic under every fault, then under faults at random", _CHAOS),
    ):
        run = commands.add_parser(name, help=what)
        run.add_argument(
            "--clients", type=int, default=2000, help="clients that are connected (%(default)s)"
        )
        run.add_argument(
            "--report", type=Path, default=report, help="file for the report (%(default)s)"
        )
        if name == "storm":
            continue
        run.add_argument(
            "--minutes", type=float, default=10.0, help="how long traffic flows (%(default)g)"
        )
        run.add_argument(
            "--seed", type=int, help="decides what happens when (a random one, which is printed)"
        )
        if name == "server-connections":
            run.add_argument(
                "--every",
                type=float,
                default=20.0,
                metavar="SECONDS",
                help="from one break to the next (%(default)g)",
            )
        if name == "chaos":
            run.add_argument(
                "--quick", action="store_true", help="only the faults that take seconds"
            )
    commands.add_parser("report", help="write the reports' figures into docs/reliability.md")
    return parser


def _renew_page() -> None:
    figures = (
        json.loads((ROOT / path).read_text())
        for path in (_CHAOS, _STEADY, _STORM, _SERVER_CONNECTIONS)
    )
    _PAGE.write_text(with_tables(_PAGE.read_text(), tables(*figures)))


if __name__ == "__main__":
    sys.exit(main())
