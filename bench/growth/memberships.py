"""What memberships of groups cost among more and more of them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from .curves import Curve, Point, point
from .rig import Rig, running
from .steps import TURNS, connect, disconnect, portions

__all__ = ["curves"]

_HUB: Final = "chat"
_MEMBERS: Final = 10
_GROUP_SENDS: Final = 20
_REQUESTS: Final = 20
_LEAVING: Final = 20
_HOUR: Final = 3600

type _Found = dict[tuple[str, str, str], list[Point]]


def curves(sizes: Sequence[int], progress: Callable[[str], None]) -> Iterator[Curve]:
    """Measure at each size on the way to the largest.

    Args:
        sizes: Numbers of memberships, ascending multiples of the first, which is also how many
            users there are.
        progress: Is told how far it is.
    """
    found: _Found = {}
    users_count = sizes[0]
    with running() as rig:
        connect(rig, [_HUB] * users_count)
        rig.join(_HUB, rig.users(0, _MEMBERS), ["small"])
        have = 0
        for size in sizes:
            progress(f"{size:,} memberships")
            groups = size // users_count
            names = [f"group{number}" for number in range(have, groups)]
            figures = {
                **_joining(rig, rig.users(0, users_count), names),
                **_requests(rig),
                **_sending(rig),
            }
            for (what, unit), turns in figures.items():
                found.setdefault((what, "memberships", unit), []).append(point(size, turns))
            leaving, coming = disconnect(rig, _HUB, _LEAVING)
            by = "groups of a client"
            found.setdefault(("Disconnect, CPU", by, "µs"), []).append(point(groups, leaving))
            found.setdefault(("Connect again, CPU", by, "µs"), []).append(point(groups, coming))
            have = groups
    _timed(sizes, found, progress)
    for (what, by, unit), points in found.items():
        yield Curve(what, by, unit, points)


def _joining(
    rig: Rig, users: Sequence[str], groups: Sequence[str]
) -> dict[tuple[str, str], list[float]]:
    memory = []
    for some in portions(users):
        before = rig.read().memory
        rig.join(_HUB, some, groups)
        memory.append((rig.read().memory - before) / len(some) / len(groups))
    return {("Memory of a membership", "bytes"): memory}


def _requests(rig: Rig) -> dict[tuple[str, str], list[float]]:
    paths = [_path(user, "extra") for user in rig.users(_MEMBERS, _REQUESTS)]
    joining, leaving = [], []
    for _ in range(TURNS):
        joining.append(rig.request([f"PUT {path}" for path in paths]) * 1e6)
        leaving.append(rig.request([f"DELETE {path}" for path in paths]) * 1e6)
    return {("Join by REST, CPU", "µs"): joining, ("Leave by REST, CPU", "µs"): leaving}


def _sending(rig: Rig) -> dict[tuple[str, str], list[float]]:
    frames = _MEMBERS * _GROUP_SENDS
    turns = [rig.send(_HUB, "small", _GROUP_SENDS, _MEMBERS) / frames * 1e6 for _ in range(TURNS)]
    return {("Send to a group of 10, CPU of a recipient", "µs"): turns}


def _timed(sizes: Sequence[int], found: _Found, progress: Callable[[str], None]) -> None:
    """Measure memberships that end: those of one user, and of all while some are ending."""
    with running() as rig:
        have = 0
        for size in sizes:
            progress(f"{size:,} memberships that end")
            groups = [f"group{number}" for number in range(have, size)]
            # Users who are not connected have groups too.
            rig.join(_HUB, ["ann"], groups, _HOUR)
            path = f"PUT {_path('ann', 'extra')}&ttl={_HOUR}"
            joining = [rig.request([path] * _REQUESTS) * 1e6 for _ in range(TURNS)]
            ending = []
            for turn in range(TURNS):
                rig.join(_HUB, ["bob"], [f"group{turn}"], 1)
                rig.advance(2)
                ending.append(rig.request([f"PUT {_path('eve', 'extra')}"]) * 1e6)
            name = "Join for an hour by REST, CPU"
            found.setdefault((name, "groups of a user", "µs"), []).append(point(size, joining))
            name = "Request when a membership ends, CPU"
            found.setdefault((name, "memberships", "µs"), []).append(point(size, ending))
            have = size


def _path(user: str, group: str) -> str:
    return f"/api/hubs/{_HUB}/users/{user}/groups/{group}?api-version=2022-06-01"
