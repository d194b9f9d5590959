"""The emulator that grows and the processes of its clients, all asked by lines."""

import json
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, NamedTuple

from ..processes import Piped, piped

__all__ = ["Reading", "Rig", "most_clients", "running"]

_NAMES: Final = ("left", "right")
"""Of the clients' processes, and of their users: each may have as many open files as the emulator.
"""

_OTHER_FILES: Final = 100
"""Open files of the emulator that are no clients, generously counted."""

_PATIENCE: Final = 20.0
"""How long to wait for what was sent, in seconds."""

_SUCCESS: Final = b"HTTP/1.1 20"


class Reading(NamedTuple):
    """How the emulator is.

    Args:
        cpu: Seconds of processor time so far.
        longest: Those of the longest garbage collection so far.
        clients: Who is connected.
        memory: Bytes in memory.
    """

    cpu: float
    longest: float
    clients: int
    memory: int


@dataclass(frozen=True, slots=True)
class _Process:
    """A process that answers each line of JSON with one."""

    pipes: Piped

    def tell(self, said: object) -> None:
        print(json.dumps(said), file=self.pipes.requests, flush=True)

    def answer(self) -> str:
        line = self.pipes.answers.readline()
        if not line:
            raise RuntimeError("a process has ended")
        return line


class Rig:
    """The emulator and its clients, of which each is a user with a token of its own."""

    def __init__(
        self, server: _Process, ready: Mapping[str, Any], crowds: Sequence[_Process]
    ) -> None:
        self._server = server
        self._crowds = crowds
        self._token: str = ready["token"]
        self._address = ("127.0.0.1", int(ready["port"]))
        self._expected = 0
        self._asking = socket.create_connection(self._address)
        self.frame_bytes: int = ready["frame_bytes"]

    def read(self) -> Reading:
        """Tell how the emulator is."""
        command = ["ps", "-o", "rss=", "-p", str(self._server.pipes.process.pid)]
        memory = int(subprocess.check_output(command)) * 1024  # noqa: S603  our own command
        return Reading(**self._ask("read"), memory=memory)

    def connect(self, hubs: Sequence[str]) -> None:
        """Connect a user to each of these hubs, those first whose connections were closed last."""
        for crowd, places in self._shared(self._expected, len(hubs)):
            crowd.tell(["connect", [hubs[place - self._expected] for place in places]])
        self._wait(len(hubs))

    def close(self, count: int) -> None:
        """Close connections and wait until the emulator has noticed."""
        for crowd, places in self._shared(self._expected - count, count):
            crowd.tell(["close", len(places)])
        self._wait(-count)

    def send(self, hub: str, group: str, times: int, recipients: int) -> float:
        """Send 1 KB to a group, or to all for "", and give the seconds of processor time.

        Raises:
            TimeoutError: The clients do not get every byte of it.
        """
        seconds: float = self._ask("send", hub, group, times)
        expected = recipients * times * self.frame_bytes
        until = monotonic() + _PATIENCE
        while expected > 0:
            for crowd in self._crowds:
                crowd.tell(["drain"])
            expected -= sum(int(crowd.answer()) for crowd in self._crowds)
            if monotonic() > until:
                raise TimeoutError(f"{expected} bytes did not come")
        return seconds

    def users(self, first: int, count: int) -> list[str]:
        """Return names of users in the order in which they connect."""
        crowds = len(self._crowds)
        return [f"{_NAMES[each % crowds]}{each // crowds}" for each in range(first, first + count)]

    def join(
        self, hub: str, users: Sequence[str], groups: Sequence[str], ttl: int | None = None
    ) -> float:
        """Put users into groups, and give the seconds of processor time."""
        seconds: float = self._ask("join", hub, users, groups, ttl)
        return seconds

    def advance(self, seconds: float) -> None:
        """Set the emulator's clock forward."""
        self._ask("advance", seconds)

    def request(self, lines: Sequence[str], body: bytes = b"") -> float:
        """Ask the REST API, and give the seconds of processor time that the emulator takes for one.

        Args:
            lines: Method and path of each request, with the query.
            body: JSON that each of them has.

        Raises:
            RuntimeError: It is refused.
        """
        before = self.read().cpu
        for line in lines:
            self._asking.sendall(
                f"{line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
                "Content-Type: application/json\r\n"
                f"Authorization: Bearer {self._token}\r\n\r\n".encode()
                + body
            )
            answer = self._asking.recv(65536)
            if not answer.startswith(_SUCCESS):
                raise RuntimeError(f"{line}: {answer!r}")
        return (self.read().cpu - before) / len(lines)

    def stop(self) -> None:
        """Let go of the connection that asks."""
        self._asking.close()

    def _ask(self, *said: object) -> Any:  # noqa: ANN401  what it answers depends on what is said
        self._server.tell(said)
        return json.loads(self._server.answer())

    def _shared(self, first: int, count: int) -> Iterator[tuple[_Process, range]]:
        """Share some of all clients among the processes, which take turns."""
        crowds = len(self._crowds)
        for place, crowd in enumerate(self._crowds):
            yield crowd, range(first + (place - first) % crowds, first + count, crowds)

    def _wait(self, more: int) -> None:
        """Wait for the clients' processes, and until the emulator knows of what they did."""
        for crowd in self._crowds:
            crowd.answer()
        self._expected += more
        while self._ask("read")["clients"] != self._expected:
            pass


@contextmanager
def running() -> Iterator[Rig]:
    """Run the emulator and the clients' processes until the end of the block."""
    with ExitStack() as stack:
        server = stack.enter_context(_process("bench.growth.server"))
        ready = json.loads(server.answer())
        crowds = [stack.enter_context(_process("bench.growth.crowd")) for _ in _NAMES]
        for number, (name, crowd) in enumerate(zip(_NAMES, crowds, strict=True), start=2):
            # Elsewhere than on Linux, only one address is there without being set up.
            source = f"127.0.0.{number}" if sys.platform == "linux" else "127.0.0.1"
            crowd.tell({**ready, "name": name, "source": source})
        rig = Rig(server, ready, crowds)
        stack.callback(rig.stop)
        yield rig


def most_clients() -> int:
    """Return how many clients the limit on open files lets the emulator have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if hard == resource.RLIM_INFINITY else hard - _OTHER_FILES


@contextmanager
def _process(module: str) -> Iterator[_Process]:
    with piped(module) as pipes:
        try:
            yield _Process(pipes)
        finally:
            # Who has thousands of clients would take its time to part from them.
            pipes.process.kill()
