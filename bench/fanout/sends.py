"""The emulator's fan-out: `python -m bench.rows.fanout`.

Measured is the time in which a server hands all frames of a broadcast to the kernel, the making
of the message included, by the server's own clock. That is the rate of the fan-out: every socket
is empty when a turn begins, so that no frame waits, and the clients read between the turns, when
they take nothing from the server. They check that every byte has come. Each server is a process
of its own, and all of them send the same text to as many clients; on aiosignalr's side the frame
is a binary one, as it sends no others.

Memory is what a process has grown by since it listens, by connection.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO

from signalr_emulator.open_files import raise_open_file_limit

from .. import report
from ..fanout.clients import Clients
from ..pairs import Row, at_least, at_most, take_timed_turns

_CLIENTS = 5000
_FEW = 100
_MEMBERS = 10
_PEERS = ("websockets", "aiosignalr")
"""Servers that keep what a connection needs; bare sockets do not."""

_OTHER_FILES = 300
"""Open files of the clients' process that are no clients of a broadcast, generously counted."""

_LEANER = 0.8
"""What a connection of the emulator may keep in memory, by one of such a server."""

_ROUNDS = 25
_GROUP_ROUNDS = 200
_GROUP_SENDS = 20


@dataclass(frozen=True, slots=True)
class _Server:
    """A server with its clients."""

    process: subprocess.Popen[str]
    requests: IO[str]
    answers: IO[str]
    clients: Clients
    port: int
    paths: dict[str, str]
    frame_bytes: int

    def connect(self, hub: str, count: int, *, is_signalr: bool = False) -> float:
        """Connect clients, and give the memory that each has taken, in bytes."""
        before = self._memory()
        self.clients.connect(self.port, self.paths[hub], count, is_signalr=is_signalr)
        return (self._memory() - before) / count

    def broadcasting(self, recipients: int) -> Callable[[], float]:
        """Give what sends to everyone and returns the microseconds of one recipient."""
        return lambda: self._send(["many", 0, 1], recipients)

    def sending(self, hub: str, members: int) -> Callable[[], float]:
        """Give what sends to a group and returns the microseconds of one recipient."""
        return lambda: self._send([hub, members, _GROUP_SENDS], members * _GROUP_SENDS)

    def _send(self, request: list[str | int], frames: int) -> float:
        print(json.dumps(request), file=self.requests, flush=True)
        microseconds = float(self.answers.readline())
        self.clients.read(self.frame_bytes * frames)
        return microseconds / frames

    def _memory(self) -> int:
        command = ["ps", "-o", "rss=", "-p", str(self.process.pid)]
        return int(subprocess.check_output(command)) * 1024  # noqa: S603  our own command


def main() -> int:
    """Print the tables; return 1 when a target is missed."""
    parser = report.parser("fanout", __doc__)
    parser.add_argument("--clients", type=int, default=_CLIENTS, help="clients of every server")
    options = parser.parse_args()
    raise_open_file_limit()
    count = min(options.clients, _most_clients())
    return report.run(partial(_tables, count), options.json)


def _tables(count: int) -> Iterator[report.Table]:
    with _server("emulator") as emulator:
        memory = {"emulator": emulator.connect("many", count, is_signalr=True)}
        yield _fan_out(emulator, count, memory)
        yield _group(emulator, count)
    yield _memory(memory)


def _most_clients() -> int:
    """Give how many clients of three servers at once fit the limit on open files."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if limit == resource.RLIM_INFINITY else (limit - _OTHER_FILES) // 3


def _fan_out(emulator: _Server, count: int, memory: dict[str, float]) -> report.Table:
    ours = emulator.broadcasting(count)
    with ExitStack() as stack:
        sides = {"emulator": ours}
        for name in ("websockets", "bare"):
            server = stack.enter_context(_server(name))
            memory[name] = server.connect("many", count)
            sides[name] = server.broadcasting(count)
        turns = take_timed_turns(sides, rounds=_ROUNDS)
    rows = [
        at_least(1.0, turns, "emulator", "websockets"),
        at_least(0.95, turns, "emulator", "bare"),
    ]
    # Its own clients come later: all of them together would be more open files than many allow.
    with _server("aiosignalr") as server:
        memory["aiosignalr"] = server.connect("many", count, is_signalr=True)
        sides = {"emulator": ours, "aiosignalr": server.broadcasting(count)}
        turns = take_timed_turns(sides, rounds=_ROUNDS)
    rows.append(at_least(1.0, turns, "emulator", "aiosignalr"))
    title = f"Broadcast, 1 KB to {count:,} clients, per recipient ({_ROUNDS} turns)"
    return report.Table(title, rows)


def _group(emulator: _Server, count: int) -> report.Table:
    emulator.connect("few", _FEW + _MEMBERS, is_signalr=True)
    crowds = {"many": f"among {count:,}", "few": f"among {_FEW + _MEMBERS:,}"}
    sides = {name: emulator.sending(hub, _MEMBERS) for hub, name in crowds.items()}
    turns = take_timed_turns(sides, rounds=_GROUP_ROUNDS)
    rows = [at_most(1.2, turns, crowds["many"], crowds["few"])]
    title = f"Send to small group, {_MEMBERS} members, per recipient ({_GROUP_ROUNDS} turns)"
    return report.Table(title, rows)


def _memory(memory: dict[str, float]) -> report.Table:
    ours = memory["emulator"] / 1024
    others = {name: size / 1024 for name, size in memory.items() if name in _PEERS}
    rows = [
        Row(
            "emulator",
            name,
            ours,
            size,
            ours / size,
            f"≤ {_LEANER:g}×",
            ours <= _LEANER * size,
            "KB",
        )
        for name, size in others.items()
    ]
    return report.Table("Memory of a connection", rows)


@contextmanager
def _server(name: str) -> Iterator[_Server]:
    """Run a server for as long as the context lasts."""
    command = [sys.executable, "-m", "bench.fanout.server", name]
    with (
        subprocess.Popen(  # noqa: S603  our own command
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process,
        Clients() as clients,
    ):
        requests, answers = process.stdin, process.stdout
        assert requests is not None  # noqa: S101  asked for above
        assert answers is not None  # noqa: S101  asked for above
        try:
            yield _Server(process, requests, answers, clients, **json.loads(answers.readline()))
        finally:
            process.kill()


if __name__ == "__main__":
    sys.exit(main())
