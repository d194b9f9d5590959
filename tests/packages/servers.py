"""Servers of other people's code, which run in a process of their own."""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

from load.processes import PATIENCE

__all__ = ["answers", "running"]


@contextmanager
def running(
    command: list[str], folder: Path, settings: Mapping[str, str], ready: Callable[[], bool]
) -> Iterator[None]:
    """Run a server until the block ends.

    Args:
        command: What is run.
        folder: Where.
        settings: Its environment variables.
        ready: Whether it answers.
    """
    with (folder / "server.log").open("w+") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=dict(settings), stdout=log, stderr=subprocess.STDOUT
        )
        try:
            deadline = time.monotonic() + PATIENCE
            while not ready():
                assert process.poll() is None, (folder / "server.log").read_text()
                assert time.monotonic() < deadline, (folder / "server.log").read_text()
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)


def answers(url: str) -> bool:
    """Tell whether a server answers, whatever it says."""
    try:
        requests.head(url, timeout=1)
    except requests.RequestException:
        return False
    return True
