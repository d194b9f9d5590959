"""Emulator and function app together: from the start of a build's `start.py` to what it says last.

Figures are milliseconds: of time, and of the processor time that all of its processes have taken
when they have ended again.
"""

import re
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import perf_counter
from typing import Final

from .build import Build
from .measurement import Slice, Surroundings
from .process import command

__all__ = ["whole_start"]

_RUNS: Final = re.compile(r"^Ctrl-C stops both\.$")
_OPTIONS: Final = ("--port", "--service-port", "--control-port")


@contextmanager
def whole_start(build: Build, around: Surroundings) -> Iterator[Slice]:  # noqa: ARG001  has its own emulator
    """Get ready to measure starts."""

    def measure() -> list[float]:
        options = [part for pair in zip(_OPTIONS, _free_ports(), strict=True) for part in pair]
        cpu, began = _cpu_of_ended_processes(), perf_counter()
        with command(build, str(build.root / "start.py"), *options, settings={}) as process:
            process.until(_RUNS)
            took = perf_counter() - began
        return [took * 1e3, (_cpu_of_ended_processes() - cpu) * 1e3]

    yield measure


def _free_ports() -> list[str]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in _OPTIONS]
        return [str(each.getsockname()[1]) for each in sockets]


def _cpu_of_ended_processes() -> float:
    # Of these processes and of those that they have waited for.
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
