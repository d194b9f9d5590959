"""The other processes of a measurement."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

__all__ = ["Metered", "Piped", "answering_server", "metered", "piped", "running"]


@dataclass(frozen=True, slots=True)
class Metered:
    """A process that tells its processor time, as `bench.meter` has it.

    Args:
        ready: What it has said of itself.
        cpu: Gives the seconds of processor time that it has taken.
    """

    ready: Mapping[str, Any]
    cpu: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Piped:
    """A process that is asked by lines, and answers by lines.

    Args:
        process: It.
        requests: Its input.
        answers: Its output.
    """

    process: subprocess.Popen[str]
    requests: IO[str]
    answers: IO[str]


@contextlib.contextmanager
def running(*arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[IO[str]]:
    """Run a program of ours until the end of the block and give its output.

    Args:
        arguments: What stands after `python` on the command line.
        environment: More environment variables for it.
    """
    with subprocess.Popen(  # noqa: S603  our own command
        [sys.executable, *arguments],
        env={**os.environ, **(environment or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        if process.stdout is None:
            raise RuntimeError("no pipe")
        try:
            yield process.stdout
        finally:
            process.terminate()


@contextlib.contextmanager
def answering_server() -> Iterator[str]:
    """Run a server that answers 202 to anything and give its address."""
    with running("-m", "bench.rows.answering_server") as output:
        yield f"http://127.0.0.1:{int(output.readline())}"


@contextlib.contextmanager
def metered(module: str) -> Iterator[Metered]:
    """Run a server that tells its processor time, until the end of the block.

    Args:
        module: What stands after `python -m`.
    """
    with piped(module) as process:

        def cpu() -> float:
            print(file=process.requests, flush=True)
            return float(process.answers.readline())

        yield Metered(json.loads(process.answers.readline()), cpu)


@contextlib.contextmanager
def piped(module: str) -> Iterator[Piped]:
    """Run a program that is asked and answers by lines, until the end of the block.

    Args:
        module: What stands after `python -m`.
    """
    with subprocess.Popen(  # noqa: S603  our own command
        [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        requests, answers = process.stdin, process.stdout
        assert requests is not None  # noqa: S101  asked for above
        assert answers is not None  # noqa: S101  asked for above
        try:
            yield Piped(process, requests, answers)
        finally:
            process.terminate()
