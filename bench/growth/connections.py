"""What a client costs among more and more of them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from .curves import Curve, Point, point
from .rig import Rig, running
from .steps import TURNS, connect, disconnect

__all__ = ["curves"]

_HUB: Final = "chat"
_MEMBERS: Final = 10
_GROUP_SENDS: Final = 20
_LEAVING: Final = 20

type _Figures = dict[tuple[str, str], list[float]]
"""What was measured in each turn, by its name and unit."""


def curves(sizes: Sequence[int], progress: Callable[[str], None]) -> Iterator[Curve]:
    """Measure at each size on the way to the largest.

    Args:
        sizes: Numbers of clients, ascending.
        progress: Is told how far it is.
    """
    found: dict[tuple[str, str], list[Point]] = {}
    with running() as rig:
        have = 0
        for size in sizes:
            progress(f"{size:,} clients")
            figures = {**_connecting(rig, size - have), **_sending(rig, size), **_leaving(rig)}
            for name, turns in figures.items():
                found.setdefault(name, []).append(point(size, turns))
            have = size
    for (what, unit), points in found.items():
        yield Curve(what, "clients", unit, points)


def _connecting(rig: Rig, count: int) -> _Figures:
    connected = connect(rig, [_HUB] * count)
    return {
        ("Connect, CPU", "µs"): connected.cpu,
        ("Memory of a connection", "KB"): connected.memory,
        ("Longest garbage collection so far, CPU", "ms"): connected.pauses[-1:],
    }


def _sending(rig: Rig, size: int) -> _Figures:
    rig.join(_HUB, rig.users(0, _MEMBERS), ["small"])
    everyone, group = [], []
    for _ in range(TURNS):
        everyone.append(rig.send(_HUB, "", 1, size) / size * 1e6)
        frames = _MEMBERS * _GROUP_SENDS
        group.append(rig.send(_HUB, "small", _GROUP_SENDS, _MEMBERS) / frames * 1e6)
    return {
        ("Broadcast of 1 KB, CPU of a recipient", "µs"): everyone,
        ("Send to a group of 10, CPU of a recipient", "µs"): group,
    }


def _leaving(rig: Rig) -> _Figures:
    leaving, _ = disconnect(rig, _HUB, _LEAVING)
    return {("Disconnect, CPU", "µs"): leaving}
