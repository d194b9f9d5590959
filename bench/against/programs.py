"""Measurements by programs of the room `inside`, in fresh processes or in one that is asked."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter

from .build import Build
from .measurement import Slice, Start, Surroundings
from .process import program

__all__ = ["asked", "fresh", "started"]

type _Settings = Callable[[Surroundings], Mapping[str, str]]


def fresh(*arguments: str, settings: _Settings) -> Start:
    """Return the start of a measurement in which a fresh process measures and answers once.

    Args:
        arguments: Name of the program, and what it takes.
        settings: Chooses its environment.
    """

    @contextmanager
    def start(build: Build, around: Surroundings) -> Iterator[Slice]:
        def measure() -> list[float]:
            with program(build, *arguments, settings=settings(around)) as process:
                return process.answer()

        yield measure

    return start


def started(*arguments: str, settings: _Settings) -> Start:
    """Return the start of a measurement of the milliseconds until a fresh process answers.

    What it answers with comes after them.

    Args:
        arguments: Name of the program, and what it takes.
        settings: Chooses its environment.
    """

    @contextmanager
    def start(build: Build, around: Surroundings) -> Iterator[Slice]:
        def measure() -> list[float]:
            began = perf_counter()
            with program(build, *arguments, settings=settings(around)) as process:
                figures = process.answer()
                return [(perf_counter() - began) * 1e3, *figures]

        yield measure

    return start


def asked(*arguments: str, settings: _Settings) -> Start:
    """Return the start of a measurement in which a process is asked once for each slice.

    Args:
        arguments: Name of the program, and what it takes.
        settings: Chooses its environment.
    """

    @contextmanager
    def start(build: Build, around: Surroundings) -> Iterator[Slice]:
        with program(build, *arguments, settings=settings(around)) as process:
            process.answer()
            yield process.ask

    return start
