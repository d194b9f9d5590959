"""Every measurement, one after another: `python -m bench`.

Prints the tables, writes them to `bench/results.json` with the versions of what was measured, and
renews the tables and pictures of `docs/performance.md`; with names of measurements it only prints
theirs. Each measurement is a program of its own, so that none inherits the state of another. The
exit status is 1 when a target is missed.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from bench.plot import draw_growth, draw_targets
from bench.tables import tables as markdown
from docs.page import with_tables

_HERE: Final = Path(__file__).parent
_MEASUREMENTS: Final = (
    "negotiate",
    "crowds",
    "cold_start",
    "rest",
    "broadcast",
    "fanout",
    "growth",
)
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


def main() -> int:
    """Measure, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "only", nargs="*", metavar="MEASUREMENT", help=f"of {', '.join(_MEASUREMENTS)}; else all"
    )
    chosen = parser.parse_args().only or _MEASUREMENTS
    unknown = set(chosen) - set(_MEASUREMENTS)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    began = time.monotonic()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, medians of paired turns")
    tables = [table for name in chosen for table in _measure(name)]
    missed = [row for table in tables for row in table["rows"] if not row["met"]]
    total = sum(len(table["rows"]) for table in tables)
    print(f"\n{total - len(missed)} of {total} targets met, {time.monotonic() - began:.0f} s")
    if len(chosen) == len(_MEASUREMENTS):
        _write(tables)
    return 1 if missed else 0


def _measure(name: str) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder, "results.json")
        command = [sys.executable, "-m", f"bench.{name}", "--json", str(results)]
        subprocess.run(command, check=False)  # noqa: S603  our own command
        if not results.exists():
            raise SystemExit(f"bench.{name} could not measure")
        return [{"measurement": name, **table} for table in json.loads(results.read_text())]


def _write(tables: list[dict[str, Any]]) -> None:
    results = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "packages": {name: version(name) for name in _PACKAGES},
        "tables": tables,
    }
    (_HERE / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    docs = _HERE.parent / "docs"
    page = docs / "performance.md"
    page.write_text(with_tables(page.read_text(), markdown(results)))
    draw_targets([each for each in tables if not each["curve"]], docs / "performance.png")
    draw_growth([each for each in tables if each["curve"]], docs / "growth.png")
    print("Renewed: bench/results.json, docs/performance.md and its pictures")


if __name__ == "__main__":
    sys.exit(main())
