"""Breaks one server connection after another, while traffic flows."""

import asyncio
from collections.abc import Sequence
from itertools import count
from math import inf
from typing import Final, NamedTuple

from ..account.journal import Failure, FailureKind, now
from ..chaos import back
from ..run import World, say
from .hub import IN_FLIGHT, NOT_FOUND
from .rig import CONNECTIONS, Rig

__all__ = ["Break", "Breaks", "unexplained"]

_LOST: Final = "The connection to the app server is lost."
"""What the service tells clients whose app server is gone."""

_UNKNOWN: Final = " send: 404"
"""What a request of a client is answered whose connection has ended while it was on its way."""

_MAY_FAIL: Final = {
    FailureKind.LOSS: (_LOST, _UNKNOWN),
    FailureKind.CONNECTION: (_LOST, _UNKNOWN),
    FailureKind.SEND: (IN_FLIGHT,),
    FailureKind.GROUP: (IN_FLIGHT, NOT_FOUND),
}
"""What may fail when a server connection breaks, and what is said of it."""

_NOTICED: Final = 2.0
"""Seconds after which all who have lost their connection know it."""

_LONGEST_RECOVERY: Final = 120.0


class Break(NamedTuple):
    """A server connection that has broken.

    Args:
        began: When.
        closed: When all who were away had connected again; infinite if they never did.
        clients: How many clients it carried.
        in_flight: Requests that were not answered.
    """

    began: float
    closed: float
    clients: int
    in_flight: int

    def explains(self, failure: Failure) -> bool:
        """Tell whether it may have caused a failure."""
        if failure.ended < self.began or failure.began > self.closed:
            return False
        return any(text in failure.detail for text in _MAY_FAIL.get(failure.kind, ()))


def unexplained(failures: Sequence[Failure], breaks: Sequence[Break]) -> list[Failure]:
    """Give the failures that no break may have caused."""
    return [each for each in failures if not any(broken.explains(each) for broken in breaks)]


class Breaks:
    """Breaks server connections in turn.

    Args:
        seconds: How long it goes on.
        every: Seconds from one break to the next, or more if clients take longer to come back.
    """

    def __init__(self, seconds: float, every: float) -> None:
        self.done: list[Break] = []
        self._seconds = seconds
        self._every = every

    async def run(self, world: World[Rig]) -> None:
        """Break one after another until the time is over."""
        began = now()
        for number in count():
            at = max(now(), began + (number + 1) * self._every)
            if at > began + self._seconds:
                break
            await asyncio.sleep(at - now())
            await self._one(world, number % CONNECTIONS)
        await asyncio.sleep(began + self._seconds - now())

    async def _one(self, world: World[Rig], connection: int) -> None:
        began = now()
        carried = await world.rig.break_connection(connection)
        closed = inf
        try:
            async with asyncio.timeout(_LONGEST_RECOVERY):
                await asyncio.sleep(_NOTICED)
                closed = await back(world)
        except TimeoutError:
            pass
        self.done.append(Break(began, closed, carried["clients"], carried["inFlight"]))
        say(
            f"         server connection {connection} broke with {carried['clients']:,} clients and"
            f" {carried['inFlight']} requests in flight"
        )
