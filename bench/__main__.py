"""Every measurement, one after another: `python -m bench`.

Prints the tables, writes them to `bench/results.json` with the versions of what was measured, and
renews the tables and pictures of `docs/performance.md`; with names of measurements it only prints
theirs. Each measurement is a program of its own, so that none inherits the state of another. With
`--against COMMIT` it compares with the build of that commit instead (`bench/against`). The exit
status is 1 when a target or a limit is missed, and 0 when noise leaves some undecided.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from .against.build import UnknownCommitError, resolve
from .against.comparison import compare
from .against.rows import MEASUREMENTS
from .interval import FEWEST_TURNS, Verdict
from .noise import Swing, swing_of
from .plot import draw_growth, draw_targets
from .tables import renew_page

_HERE: Final = Path(__file__).parent
_MEASUREMENTS: Final = {
    "negotiate": "bench.rows.negotiate",
    "crowds": "bench.rows.crowds",
    "cold_start": "bench.rows.cold_start",
    "rest": "bench.rest",
    "broadcast": "bench.rows.broadcast",
    "server_connections": "bench.server_connections.sends",
    "refresh": "bench.rows.refresh",
    "fanout": "bench.fanout.sends",
    "memory": "bench.fanout.memory",
    "emulator_rest": "bench.emulator_rest.requests",
    "echo": "bench.server_connections.echo",
    "growth": "bench.rows.growth",
}
"""The module of each, in the order of the page."""

_INTERRUPTED: Final = 130
"""The exit status of a program that Ctrl-C has ended."""

_PACKAGES: Final = (
    "aiohttp",
    "aiosignalr",
    "azure-functions-runtime",
    "azure-identity",
    "azure-messaging-webpubsubservice",
    "PyJWT",
    "requests",
    "websockets",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and return the exit status.

    Args:
        arguments: The command line without the program's name; `None` for that of the process.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.against is not None:
        return _compare(parser, options)
    if options.rows is not None or options.pairs is not None:
        parser.error("--rows and --pairs belong to --against COMMIT")
    return _measure_all(_chosen(parser, options.only, _MEASUREMENTS))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "only", nargs="*", metavar="MEASUREMENT", help=f"of {', '.join(_MEASUREMENTS)}; else all"
    )
    parser.add_argument(
        "--against",
        metavar="COMMIT",
        help="compare this build with that of another commit, in paired turns, and write nothing",
    )
    parser.add_argument(
        "--rows",
        metavar="NAME,NAME",
        help=f"what to compare, of {', '.join(MEASUREMENTS)}; else all",
    )
    parser.add_argument(
        "--pairs",
        type=_positive,
        metavar="N",
        help=f"turns of each build, doubled twice at most where noise leaves a limit undecided; "
        f"fewer than {FEWEST_TURNS}, the default, judge none",
    )
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _chosen(
    parser: argparse.ArgumentParser, names: Sequence[str], known: Collection[str]
) -> Sequence[str]:
    if unknown := set(names) - set(known):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return names or list(known)


def _compare(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    if options.only:
        parser.error("with --against, --rows chooses what is compared")
    rows = _chosen(parser, options.rows.split(",") if options.rows else (), MEASUREMENTS)
    chosen = {name: MEASUREMENTS[name] for name in rows}
    try:
        return compare(resolve(options.against), chosen, pairs=options.pairs or FEWEST_TURNS)
    except UnknownCommitError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    except KeyboardInterrupt:
        return _INTERRUPTED


def _measure_all(chosen: Sequence[str]) -> int:
    began = time.monotonic()
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores; medians of paired turns, "
        "and where they lie with 95 % confidence"
    )
    tables = [table for name in chosen for table in _measure(name)]
    verdicts = Counter(row["verdict"] for table in tables for row in table["rows"])
    swing = swing_of([microseconds for table in tables for microseconds in table.pop("loop")])
    print(
        f"\n{verdicts[Verdict.MET]} of {verdicts.total()} targets met, {verdicts[Verdict.MISSED]} "
        f"missed, {verdicts[Verdict.UNDECIDED]} not decided for noise, "
        f"{time.monotonic() - began:.0f} s\nMeanwhile {swing}"
    )
    if len(chosen) == len(_MEASUREMENTS):
        _write(tables, swing)
    return 1 if verdicts[Verdict.MISSED] else 0


def _measure(name: str) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder, "results.json")
        command = [sys.executable, "-m", _MEASUREMENTS[name], "--json", str(results)]
        subprocess.run(command, check=False)  # noqa: S603  our own command
        if not results.exists():
            raise SystemExit(f"{name} could not measure")
        return [{"measurement": name, **table} for table in json.loads(results.read_text())]


def _write(tables: list[dict[str, Any]], swing: Swing) -> None:
    results = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "packages": {name: version(name) for name in _PACKAGES},
        "loop": swing._asdict(),
        "tables": tables,
    }
    (_HERE / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    renew_page()
    docs = _HERE.parent / "docs"
    draw_targets([each for each in tables if not each["curve"]], docs / "performance.png")
    draw_growth([each for each in tables if each["curve"]], docs / "growth.png")
    print("Renewed: bench/results.json, docs/performance.md and its pictures")


if __name__ == "__main__":
    sys.exit(main())
