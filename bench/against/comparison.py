"""The comparison of two builds, with its progress on stderr and its table on stdout."""

import os
import platform
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from ..interval import FEWEST_TURNS, LOOKS, Verdict
from .build import PRESENT, Build, other_build
from .measurement import Measurement, Surroundings, surroundings, take_pairs
from .process import UnmeasurableError
from .ratios import Pair, ratio_of
from .table import Line, head, line, unmeasured

__all__ = ["compare"]


def compare(commit: str, measurements: Mapping[str, Measurement], *, pairs: int) -> int:
    """Print what the present build takes by what another one does.

    Args:
        commit: The other build, as `resolve` names it.
        measurements: What to measure, by name.
        pairs: Turns of each build, at first.

    Returns:
        The exit status: 1 when a limit is missed.

    Raises:
        UnknownCommitError: Git cannot check the commit out.
        UnmeasurableError: The present build does not have what is measured, or fails in it.
        KeyboardInterrupt: The process is told to end, when everything is cleared away.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    missed = False
    with other_build(commit) as other, surroundings() as around:
        print(
            f"Python {platform.python_version()}, {os.cpu_count()} cores; ratios are present by "
            f"{commit}: medians of {pairs} pairs or more, and where they lie with 95 % "
            f"confidence\n\n"
            f"{head(commit)}",
            flush=True,
        )
        for name, measurement in measurements.items():
            for each in _measure(name, measurement, other, around, pairs):
                print(each.text, flush=True)
                missed |= each.verdict is Verdict.MISSED
    return 1 if missed else 0


def _measure(
    name: str, measurement: Measurement, other: Build, around: Surroundings, pairs: int
) -> list[Line]:
    sys.stderr.write(f"{name} ")
    try:
        return _decided(measurement, _shown(take_pairs(measurement, PRESENT, other, around)), pairs)
    except UnmeasurableError as error:
        if error.build is PRESENT:
            raise
        return unmeasured(measurement.figures, error.reason)
    finally:
        sys.stderr.write("\n")


def _decided(measurement: Measurement, turns: Iterator[Sequence[Pair]], pairs: int) -> list[Line]:
    """Take so many pairs, and twice as many where they decide nothing, and twice as many again.

    Pairs that are too few to decide anything are not taken again.
    """
    taken: list[Sequence[Pair]] = []
    lines: list[Line] = []
    for look in range(LOOKS if pairs >= FEWEST_TURNS else 1):
        taken += islice(turns, pairs * 2**look - len(taken))
        by_figure = zip(*taken, strict=True)
        lines = [
            line(figure, ratio_of(column))
            for figure, column in zip(measurement.figures, by_figure, strict=True)
        ]
        if all(each.verdict is not Verdict.UNDECIDED for each in lines):
            break
    return lines


def _shown(turns: Iterator[Sequence[Pair]]) -> Iterator[Sequence[Pair]]:
    """Give what is given, with a dot on stderr for each."""
    for each in turns:
        sys.stderr.write(".")
        sys.stderr.flush()
        yield each
