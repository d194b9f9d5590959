"""A measurement of a build, and the pairs of processes in which two builds take turns."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Final

from signalr_emulator.testing import running_emulator

from ..processes import answering_server
from .build import Build
from .ratios import Pair, pair_of

__all__ = [
    "Figure",
    "Measurement",
    "Slice",
    "Start",
    "Surroundings",
    "surroundings",
    "take_pairs",
]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What both builds talk to: the same processes, of the present build.

    Args:
        emulator: Settings of an app that finds identity and service in an emulator.
        answering: Settings of one whose service is a server that answers 202 to anything.
    """

    emulator: Mapping[str, str]
    answering: Mapping[str, str]


type Slice = Callable[[], Sequence[float]]
"""Measures for a moment, and gives the figures of its measurement in their order."""

type Start = Callable[[Build, Surroundings], AbstractContextManager[Slice]]
"""Starts a process of a build, or gets ready to do so in the slice."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table.

    Args:
        what: What is measured.
        unit: What it is in.
        limit: How many times that of the other build it may be at most; `None` without a limit.
    """

    what: str
    unit: str
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one pair of processes measures.

    Args:
        figures: What comes of it.
        start: Starts a process of a build, or gets ready to do so in the slice.
        slices: How often the two processes of a pair take turns.
    """

    figures: Sequence[Figure]
    start: Start
    slices: int = 1


_EMULATED: Final = {"SIGNALR_HUBS": "chat", "NEGOTIATE_IDENTITY": "anonymous"}


@contextmanager
def surroundings() -> Iterator[Surroundings]:
    """Run what both builds talk to until the end of the block."""
    with running_emulator() as emulator, answering_server() as service:
        settings = {**_EMULATED, **emulator.app_settings}
        answering = {**settings, "AzureSignalRConnectionString__serviceUri": service}
        yield Surroundings(settings, answering)


def take_pairs(
    measurement: Measurement, present: Build, other: Build, around: Surroundings
) -> Iterator[Sequence[Pair]]:
    """Let two builds take turns, and give a pair for each figure, as long as somebody asks.

    Each pair has processes of its own, since where a process happens to have its memory makes it
    faster or slower for all its life.

    Args:
        measurement: What to measure.
        present: The present build.
        other: The other one.
        around: What both talk to.

    Raises:
        UnmeasurableError: A build does not have what is measured, or fails in it.
    """
    for number in count():
        # Who comes first changes, as the second may find something warm, or a busier machine.
        order = (present, other) if number % 2 else (other, present)
        with ExitStack() as stack:
            sides = {
                each.name: stack.enter_context(measurement.start(each, around)) for each in order
            }
            turns = [
                {name: take() for name, take in sides.items()} for _ in range(measurement.slices)
            ]
        # The first one does not count.
        if number:
            yield [
                pair_of([(turn[present.name][at], turn[other.name][at]) for turn in turns])
                for at in range(len(measurement.figures))
            ]
