"""The emulator's fan-out: `python -m bench.fanout.sends`.

Measured is the time in which a server hands all frames of a broadcast to the kernel, the making
of the message included, by the server's own clock. That is the rate of the fan-out: every socket
is empty when a turn begins, so that no frame waits, and the clients read between the turns, when
they take nothing from the server. They check that every byte has come. Each server is a process
of its own, and all of them send the same text to as many clients; on aiosignalr's side the frame
is a binary one, as it sends no others.
"""

import resource
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Final

from signalr_emulator.open_files import raise_open_file_limit

from .. import report
from ..pairs import Row, Taken, Turns, at_least, at_most, take_timed_turns
from .process import Server, running

__all__: list[str] = []

_CLIENTS: Final = 5000
_FEW: Final = 100
_MEMBERS: Final = 10
_OTHER_FILES: Final = 300
"""Open files of the clients' process that are no clients of a broadcast, generously counted."""

_ROUNDS: Final = 25
_GROUP_ROUNDS: Final = 200
_GROUP_SENDS: Final = 20


def main() -> int:
    """Print the tables; return 1 when a target is missed."""
    parser = report.parser("fanout.sends", __doc__)
    parser.add_argument("--clients", type=int, default=_CLIENTS, help="clients of every server")
    options = parser.parse_args()
    raise_open_file_limit()
    count = min(options.clients, _most_clients())
    return report.run(partial(_tables, count), options.json)


def _tables(count: int) -> Iterator[report.Table]:
    with running("emulator") as emulator:
        emulator.connect("many", count, is_signalr=True)
        title = f"Broadcast, 1 KB to {count:,} clients, per recipient"
        # Never all of them together: that would be more open files than many allow.
        yield report.table_of(
            title, _beside_bare(emulator, count), _beside_aiosignalr(emulator, count)
        )
        yield _group(emulator, count)


def _most_clients() -> int:
    """Give how many clients of three servers at once fit the limit on open files."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if limit == resource.RLIM_INFINITY else (limit - _OTHER_FILES) // 3


def _beside_bare(emulator: Server, count: int) -> Taken:
    with ExitStack() as stack:
        sides = {"emulator": emulator.broadcasting(count)}
        for name in ("websockets", "bare"):
            server = stack.enter_context(running(name))
            server.connect("many", count)
            sides[name] = server.broadcasting(count)
        return take_timed_turns(sides, _rows, rounds=_ROUNDS)


def _rows(turns: Turns) -> list[Row]:
    return [
        at_least(1.0, turns, "emulator", "websockets"),
        at_least(0.95, turns, "emulator", "bare"),
    ]


def _beside_aiosignalr(emulator: Server, count: int) -> Taken:
    with running("aiosignalr") as server:
        server.connect("many", count, is_signalr=True)
        return take_timed_turns(
            {"emulator": emulator.broadcasting(count), "aiosignalr": server.broadcasting(count)},
            lambda turns: [at_least(1.0, turns, "emulator", "aiosignalr")],
            rounds=_ROUNDS,
        )


def _group(emulator: Server, count: int) -> report.Table:
    emulator.connect("few", _FEW + _MEMBERS, is_signalr=True)
    many, few = f"among {count:,}", f"among {_FEW + _MEMBERS:,}"
    taken = take_timed_turns(
        {
            many: emulator.sending("many", _MEMBERS, _GROUP_SENDS),
            few: emulator.sending("few", _MEMBERS, _GROUP_SENDS),
        },
        lambda turns: [at_most(1.2, turns, many, few)],
        rounds=_GROUP_ROUNDS,
    )
    return report.table_of(f"Send to small group, {_MEMBERS} members, per recipient", taken)


if __name__ == "__main__":
    sys.exit(main())
