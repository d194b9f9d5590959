"""How the emulator's costs grow: `python -m bench.growth`.

Real WebSocket clients connect to an emulator in a process of its own, more and more of them; then
there are more and more hubs, and more and more memberships of groups. Costs are processor time of
the emulator and its memory. It takes some minutes, and renews `bench/growth/results.json`, the
tables of `docs/performance.md` and its pictures; with `--only` it prints, and writes nothing.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from signalr_emulator.open_files import raise_open_file_limit

from ..tables import renew_page
from . import connections, hubs, memberships
from .curves import Curve
from .pictures import draw
from .rig import most_clients

_HERE: Final = Path(__file__).parent
_DOCS: Final = _HERE.parents[1] / "docs"

type _Measure = Callable[[Sequence[int], Callable[[str], None]], Iterator[Curve]]

_FAMILIES: Final[dict[str, tuple[_Measure, tuple[int, ...]]]] = {
    "clients": (connections.curves, (100, 1_000, 2_000, 5_000, 10_000, 15_000, 20_000)),
    "hubs": (hubs.curves, (10, 100, 1_000)),
    "memberships": (memberships.curves, (1_000, 10_000, 100_000)),
}
"""What grows, with its measurement and sizes."""

_SMALLEST: Final = 20
"""So many clients come and go at a time."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write what was found.

    Args:
        arguments: The command line without the program's name; `None` for that of the process.
    """
    parser = argparse.ArgumentParser(
        prog="python -m bench.growth",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", choices=_FAMILIES, help="measure this alone, and write nothing")
    parser.add_argument(
        "--sizes", type=_sizes, metavar="N,N", help="sizes to measure, with --only; ascending"
    )
    options = parser.parse_args(arguments)
    raise_open_file_limit()
    if options.only is None:
        if options.sizes is not None:
            parser.error("--sizes belongs to --only")
        _write({name: _measured(name, sizes) for name, (_, sizes) in _FAMILIES.items()})
    else:
        _measured(options.only, options.sizes or _FAMILIES[options.only][1])


def _sizes(text: str) -> Sequence[int]:
    sizes = [int(size) for size in text.split(",") if size.isdecimal()]
    is_list = sizes == sorted(set(sizes)) and ",".join(map(str, sizes)) == text
    if not (sizes and is_list) or sizes[0] < _SMALLEST or any(size % sizes[0] for size in sizes):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a list of ascending multiples of its first, which is "
            f"{_SMALLEST} or more: 100,1000"
        )
    return sizes


def _measured(name: str, sizes: Sequence[int]) -> list[Curve]:
    """Measure, with the sizes on stderr as they are reached, and print what was found."""
    measure, _ = _FAMILIES[name]
    # Each hub has a client; memberships need no more of them.
    found = list(measure(sizes if name == "memberships" else _possible(sizes), _say))
    for curve in found:
        print(f"\n{curve.what}, {curve.unit}, by {curve.by}")
        for size, low, middle, high in curve.points:
            print(f"  {size:>9,}  {middle:>10,.1f}  {low:,.1f} to {high:,.1f}", flush=True)
    return found


def _say(progress: str) -> None:
    sys.stderr.write(f"{progress}\n")


def _possible(sizes: Sequence[int]) -> Sequence[int]:
    """Return the sizes, the last of which may be the most that this machine lets a process have."""
    most = most_clients()
    if sizes[-1] <= most:
        return sizes
    _say(
        f"{sizes[-1]:,} clients are more than the hard limit on open files allows a process here: "
        f"{most:,} instead (ulimit -Hn has the limit)"
    )
    return [*(size for size in sizes if size < most), most]


def _write(found: dict[str, list[Curve]]) -> None:
    results: dict[str, Any] = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "curves": {name: [each._asdict() for each in curves] for name, curves in found.items()},
    }
    (_HERE / "results.json").write_text(json.dumps(results, ensure_ascii=False) + "\n")
    for name, curves in results["curves"].items():
        draw(curves, _DOCS / f"growth-{name}.png")
    renew_page()
    print("Renewed: bench/growth/results.json, docs/performance.md and its pictures")


if __name__ == "__main__":
    main()
