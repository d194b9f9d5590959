"""An app server behind the emulator: `python -m bench.server_connections.echo`.

Clients send 1 KB and wait for it to come back: by the emulator in the mode Default and one server
connection, or by a bare relay with one peer that has no protocol at all. Relay, peer and clients
are processes of their own, and aiohttp is what both relays and both peers are made with.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from time import perf_counter
from typing import Final

from .. import report
from ..fanout.clients import Clients
from ..pairs import Row, Turns, at_least, at_most, take_timed_turns
from ..processes import metered, running

_CLIENTS: Final = 100
_TURNS: Final = 20
_TIMES: Final = 20
"""Messages of each client in a turn."""

_MESSAGE: Final = json.dumps(
    {"type": 1, "target": "echo", "arguments": ["x" * 1024]}, separators=(",", ":")
).encode() + b"\x1e"  # fmt: skip
_FRAME_HEAD: Final = 4
"""Bytes that a server's frame has before so many others."""


@dataclass(slots=True)
class _Side:
    """A relay with its peer and its clients.

    Args:
        clients: The clients.
        count: How many they are.
        readings: Gives the seconds of processor time that the relay has taken.
        cpu: What it has taken in each turn, in microseconds of a message.
    """

    clients: Clients
    count: int
    readings: Callable[[], float]
    cpu: list[float]

    def converse(self) -> float:
        """Let every message come back, and give the microseconds of one."""
        before, began = self.readings(), perf_counter()
        self.clients.converse(_MESSAGE, len(_MESSAGE) + _FRAME_HEAD, _TIMES)
        took = perf_counter() - began
        messages = self.count * _TIMES
        self.cpu.append((self.readings() - before) / messages * 1e6)
        return took / messages * 1e6


def main() -> int:
    """Print the table; return 1 when a target is missed."""
    parser = report.parser("server_connections.echo", __doc__)
    parser.add_argument("--clients", type=int, default=_CLIENTS, help="clients of either side")
    parser.add_argument(
        "--turns", type=int, default=_TURNS, help="turns of either side, before they are doubled"
    )
    options = parser.parse_args()
    return report.run(partial(_tables, options.clients, options.turns), options.json)


def _tables(count: int, rounds: int) -> Iterator[report.Table]:
    """Measure the time of a message, and the processor time that the relay takes for it."""
    with ExitStack() as stack:
        sides = {
            "emulator": stack.enter_context(_side("emulator", count, is_signalr=True)),
            "bare relay": stack.enter_context(_side("relay", count, is_signalr=False)),
        }
        taken = take_timed_turns(
            {name: side.converse for name, side in sides.items()},
            partial(_rows, sides),
            rounds=rounds,
        )
    yield report.table_of(f"Echo, 1 KB, {count} clients, one server connection", taken)


def _rows(sides: Mapping[str, _Side], turns: Turns) -> list[Row]:
    # The first turn does not count.
    cpu = {f"CPU of the {name}": side.cpu[1:] for name, side in sides.items()}
    return [
        at_least(0.5, turns, "emulator", "bare relay"),
        at_most(1.6, cpu, "CPU of the emulator", "CPU of the bare relay"),
    ]


@contextmanager
def _side(relay: str, count: int, *, is_signalr: bool) -> Iterator[_Side]:
    """Run a relay, its peer and its clients until the end of the block."""
    program = f"bench.server_connections.{relay}"
    with metered(program) as server, Clients() as clients:
        ready = server.ready
        url = f"http://127.0.0.1:{ready['port']}{ready['peer']}"
        token = [ready["token"]] if ready["token"] else []
        with running("-m", "bench.server_connections.echo_peer", url, *token) as peer:
            if not peer.readline():
                raise RuntimeError("the peer does not connect")
            clients.connect(ready["port"], repeat(ready["client"], count), is_signalr=is_signalr)
            yield _Side(clients, count, server.cpu, [])


if __name__ == "__main__":
    sys.exit(main())
