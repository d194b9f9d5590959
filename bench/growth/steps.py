"""A step from one size to the next, in turns."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from .rig import Rig

__all__ = ["TURNS", "Connected", "connect", "disconnect", "portions"]

TURNS: Final = 15
"""Portions of a step, and turns at each size."""


class Connected(NamedTuple):
    """What clients have taken who connected, a figure for each portion.

    Args:
        cpu: Microseconds of processor time for each of them.
        memory: Kilobytes that stay for each of them.
        pauses: Milliseconds of the longest garbage collection until then.
    """

    cpu: list[float]
    memory: list[float]
    pauses: list[float]


def portions[Each](all_of_them: Sequence[Each]) -> list[Sequence[Each]]:
    """Share a step among its turns; fewer than there are turns come one by one."""
    count = len(all_of_them)
    borders = [count * turn // TURNS for turn in range(TURNS + 1)]
    return [all_of_them[begin:end] for begin, end in pairwise(borders) if begin < end]


def connect(rig: Rig, hubs: Sequence[str]) -> Connected:
    """Connect a client to each of these hubs."""
    found = Connected([], [], [])
    for some in portions(hubs):
        before = rig.read()
        rig.connect(some)
        after = rig.read()
        found.cpu.append((after.cpu - before.cpu) / len(some) * 1e6)
        found.memory.append((after.memory - before.memory) / len(some) / 1024)
        found.pauses.append(after.longest * 1e3)
    return found


def disconnect(rig: Rig, hub: str, count: int) -> tuple[list[float], list[float]]:
    """Close some clients and connect them again, over and over.

    Args:
        rig: Has the clients.
        hub: Where they are.
        count: How many each time.

    Returns:
        The microseconds of processor time for each that leaves, and for each that comes back.
    """
    leaving: list[float] = []
    coming: list[float] = []
    for _ in range(TURNS):
        before = rig.read().cpu
        rig.close(count)
        between = rig.read().cpu
        rig.connect([hub] * count)
        leaving.append((between - before) / count * 1e6)
        coming.append((rig.read().cpu - between) / count * 1e6)
    return leaving, coming
