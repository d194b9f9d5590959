"""Memory of a connection of the emulator and of other servers: `python -m bench.fanout.memory`.

It is what a server's process grows by while some more clients connect, turn by turn; none of them
goes away again, since the next one would take what it leaves. What is made once is made in the turn
that does not count.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from mmap import PAGESIZE
from typing import Final

from signalr_emulator.open_files import raise_open_file_limit

from .. import report
from ..pairs import at_most, take_timed_turns
from .process import Server, running

__all__: list[str] = []

_CLIENTS: Final = 100
"""Clients that come in a turn: with three servers, all turns fit a limit of 20,000 open files."""

_ROUNDS: Final = 15
_SIGNALR: Final = {"emulator": True, "websockets": False, "aiosignalr": True}
"""Whether clients of a server shake hands as those of SignalR do."""

_LEANER: Final = 0.8
"""What a connection of the emulator may keep in memory, by one of such a server."""


def tables() -> Iterator[report.Table]:
    """Measure."""
    with ExitStack() as stack:
        sides = {
            name: _growing(stack.enter_context(running(name)), is_signalr=is_signalr)
            for name, is_signalr in _SIGNALR.items()
        }
        taken = take_timed_turns(
            sides,
            lambda turns: [
                at_most(_LEANER, turns, "emulator", name, "KB")
                for name in ("websockets", "aiosignalr")
            ],
            rounds=_ROUNDS,
        )
    yield report.table_of("Memory of a connection", taken)


def _growing(server: Server, *, is_signalr: bool) -> Callable[[], float]:
    """Return what connects clients and gives the kilobytes that each has taken."""

    def connect() -> float:
        before = server.memory()
        server.connect("many", _CLIENTS, is_signalr=is_signalr)
        # Who finds room in what is there already takes less than a page.
        return max(server.memory() - before, PAGESIZE) / _CLIENTS / 1024

    return connect


if __name__ == "__main__":
    arguments = report.parser("fanout.memory", __doc__).parse_args()
    raise_open_file_limit()
    sys.exit(report.run(tables, arguments.json))
