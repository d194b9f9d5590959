"""What a hub costs among more and more of them, each with one client."""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from typing import Final

from .curves import Curve, Point, point
from .rig import running
from .steps import TURNS, connect

__all__ = ["curves"]

_SENDS: Final = 20
_BODY: Final = json.dumps({"target": "say", "arguments": ["x" * 1024]}).encode()


def curves(sizes: Sequence[int], progress: Callable[[str], None]) -> Iterator[Curve]:
    """Measure at each size on the way to the largest.

    Args:
        sizes: Numbers of hubs, ascending.
        progress: Is told how far it is.
    """
    connecting: list[Point] = []
    memory: list[Point] = []
    sending: list[Point] = []
    with running() as rig:
        have = 0
        for size in sizes:
            progress(f"{size:,} hubs")
            connected = connect(rig, [f"hub{number}" for number in range(have, size)])
            connecting.append(point(size, connected.cpu))
            memory.append(point(size, connected.memory))
            sends = cycle(
                f"POST /api/hubs/hub{number}/:send?api-version=2022-06-01" for number in range(size)
            )
            turns = [rig.request(list(islice(sends, _SENDS)), _BODY) * 1e6 for _ in range(TURNS)]
            sending.append(point(size, turns))
            have = size
    yield Curve("Connect to a new hub, CPU", "hubs", "µs", connecting)
    yield Curve("Memory of a hub and its client", "hubs", "KB", memory)
    yield Curve("Send to a hub by REST, CPU", "hubs", "µs", sending)
