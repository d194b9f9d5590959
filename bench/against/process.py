"""A process of one build, which is asked by lines and answers by lines."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from .build import Build
from .inside.answers import MISSING

__all__ = ["Process", "UnmeasurableError", "command", "program", "server"]

_INSIDE: Final = Path(__file__).parent / "inside"
_FIGURES: Final = re.compile(r"^\[.*\]$")
_METER: Final = re.compile(r"^metered: (.*)$")


class UnmeasurableError(Exception):
    """A build does not have what is measured, or fails in it.

    Args:
        build: The build.
        reason: What it does not have, or how it fails.
    """

    def __init__(self, build: Build, reason: str) -> None:
        super().__init__(f"{build.name}: {reason}")
        self.build = build
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Process:
    """A process that runs.

    Args:
        build: Whose sources it has.
        id: Its number.
    """

    build: Build
    id: int
    _input: IO[str]
    _output: IO[str]
    _errors: IO[str]

    def line(self) -> str:
        """Return the next line that it prints.

        Raises:
            UnmeasurableError: The build does not have what is measured, or the process has ended.
        """
        line = self._output.readline()
        if line.startswith(MISSING):
            reason = line.removeprefix(MISSING).strip()
            raise UnmeasurableError(self.build, f"not in that build: {reason}")
        if not line:
            self._errors.seek(0)
            said = self._errors.read().strip().splitlines()
            reason = said[-1] if said else "it says nothing"
            raise UnmeasurableError(self.build, f"fails in that build: {reason}")
        return line.strip()

    def until(self, pattern: re.Pattern[str]) -> re.Match[str]:
        """Read until a line has something, and give what was found.

        Raises:
            UnmeasurableError: The build does not have what is measured, or the process has ended.
        """
        while (found := pattern.search(self.line())) is None:
            pass
        return found

    def answer(self) -> list[float]:
        """Return the figures that the process answers with, as soon as it does.

        Raises:
            UnmeasurableError: The build does not have what is measured, or the process has ended.
        """
        figures: list[float] = json.loads(self.until(_FIGURES)[0])
        return figures

    def ask(self) -> list[float]:
        """Ask for figures, and return them.

        Raises:
            UnmeasurableError: The process has ended.
        """
        print(file=self._input, flush=True)
        return self.answer()

    def cpu(self) -> float:
        """Return the seconds of processor time that a server has taken.

        Raises:
            RuntimeError: It runs the sources of another build.
            UnmeasurableError: The process has ended.
        """
        print(file=self._input, flush=True)
        seconds, file = json.loads(self.until(_METER)[1])
        if not Path(file).is_relative_to(self.build.root):
            raise RuntimeError(f"{file} is not that of {self.build.name}")
        return float(seconds)


@contextmanager
def program(build: Build, *arguments: str, settings: Mapping[str, str]) -> Iterator[Process]:
    """Run a program of the room `inside` until the end of the block.

    Args:
        build: Whose sources it measures.
        arguments: Its name, and what it takes.
        settings: More environment variables.
    """
    with command(build, str(_INSIDE / "start.py"), *arguments, settings=settings) as process:
        yield process


@contextmanager
def server(build: Build, *arguments: str, settings: Mapping[str, str]) -> Iterator[Process]:
    """Run a module of a build as `python -m` does, and be able to ask for its processor time.

    Args:
        build: Whose module.
        arguments: Its name, and its command line.
        settings: More environment variables.
    """
    with command(build, str(_INSIDE / "metered.py"), *arguments, settings=settings) as process:
        yield process


@contextmanager
def command(
    build: Build, script: str, *arguments: str, settings: Mapping[str, str]
) -> Iterator[Process]:
    """Run a script with the sources of a build until the end of the block.

    Args:
        build: Whose sources it finds.
        script: Path of the script.
        arguments: Its command line.
        settings: More environment variables.
    """
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(  # noqa: S603  our own command
            # -P: neither the script's folder nor the current one is where modules are looked for.
            [sys.executable, "-P", script, *arguments],
            cwd=build.root,
            env=build.environment(settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        requests, answers = process.stdin, process.stdout
        assert requests is not None  # noqa: S101  asked for above
        assert answers is not None  # noqa: S101  asked for above
        try:
            yield Process(build, process.pid, requests, answers, errors)
        finally:
            process.terminate()
