"""A server of the fan-out in a process of its own, with its clients in this one."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import IO

from .clients import Clients

__all__ = ["Server", "running"]


@dataclass(frozen=True, slots=True)
class Server:
    """A server with its clients.

    Args:
        port: Where it listens.
        paths: Where clients connect, by hub.
        frame_bytes: The length of a frame that clients get.
    """

    port: int
    paths: dict[str, str]
    frame_bytes: int
    _process: subprocess.Popen[str]
    _requests: IO[str]
    _answers: IO[str]
    _clients: Clients

    def connect(self, hub: str, count: int, *, is_signalr: bool = False) -> None:
        """Connect clients."""
        self._clients.connect(self.port, repeat(self.paths[hub], count), is_signalr=is_signalr)

    def broadcasting(self, recipients: int) -> Callable[[], float]:
        """Give what sends to everyone and returns the microseconds of one recipient."""
        return lambda: self._send(["many", 0, 1], recipients)

    def sending(self, hub: str, members: int, times: int) -> Callable[[], float]:
        """Give what sends to a group and returns the microseconds of one recipient."""
        return lambda: self._send([hub, members, times], members * times)

    def memory(self) -> int:
        """Return the bytes that the process has in memory."""
        command = ["ps", "-o", "rss=", "-p", str(self._process.pid)]
        return int(subprocess.check_output(command)) * 1024  # noqa: S603  our own command

    def _send(self, request: list[str | int], frames: int) -> float:
        print(json.dumps(request), file=self._requests, flush=True)
        microseconds = float(self._answers.readline())
        self._clients.read(self.frame_bytes * frames)
        return microseconds / frames


@contextmanager
def running(name: str) -> Iterator[Server]:
    """Run a server for as long as the context lasts.

    Args:
        name: Which one, as `bench.fanout.server` knows it.
    """
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
            ready = json.loads(answers.readline())
            yield Server(
                **ready, _process=process, _requests=requests, _answers=answers, _clients=clients
            )
        finally:
            process.kill()
