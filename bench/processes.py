"""The other processes of a measurement."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import IO

__all__ = ["answering_server", "running"]


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
