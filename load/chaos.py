"""Disturbs a run by one fault after another, and measures what each does."""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from math import inf
from typing import Final

from .account.journal import Failure, FailureKind, now
from .clients.client import Client
from .clients.transports import RefusedError
from .faults import TIME_PASSES, Fault
from .rig import Rig
from .run import Running, World, say
from .traffic import until

__all__ = ["Chaos", "Recovery", "Window", "back", "unexcused"]

_WELL: Final = 6
"""Times in a row that the app has to say that it is well: it has two processes to ask."""

_LONGEST_RECOVERY: Final = 120.0
_PROBE_PAUSE: Final = 0.05
_LATE_NOTICE: Final = 12.0
"""Seconds after which a client that only listens has noticed that its token is too old: it sends a
ping every ten."""

_SLACK: Final = 1.0
"""Seconds by which a machine that is busy may be late."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """How long it took after the end of a fault, in seconds; infinite if it took too long.

    Args:
        served: Until a negotiation succeeded.
        well: Until the app said that it is well.
        back: Until every client had a connection again.
    """

    served: float = inf
    well: float = inf
    back: float = inf


@dataclass(slots=True)
class Window:
    """The time of one fault, until everything is as before.

    Args:
        fault: What it is.
        began: When it began.
        closed: When everything was as before.
        negotiations: How many there were.
        recovery: How long it took to be as before.
    """

    fault: Fault
    began: float
    closed: float = inf
    negotiations: int = 0
    recovery: Recovery = Recovery()

    def excuses(self, failure: Failure) -> bool:
        """Tell whether the fault may have caused a failure."""
        seen_late = _LATE_NOTICE if failure.kind is FailureKind.LOSS else 0.0
        if failure.ended < self.began or failure.began > self.closed + seen_late:
            return False
        if failure.kind not in self.fault.may_fail:
            return False
        late = failure.began > self.began + self.fault.noticed_within + _SLACK
        return not (failure.kind is FailureKind.NEGOTIATION and late)

    def overlaps(self, began: float, ended: float) -> bool:
        """Tell whether something happened within it, if only in part."""
        return began <= self.closed and ended >= self.began

    @property
    def too_slow(self) -> bool:
        """Whether it took longer to recover than is promised."""
        slowest = max(self.recovery.served, self.recovery.well)
        return slowest > self.fault.recovers_within + _SLACK


def unexcused(
    failures: Sequence[Failure], windows: Sequence[Window], leaps: Sequence[tuple[float, float]]
) -> list[Failure]:
    """Give the failures that no fault may have caused.

    Args:
        failures: What went wrong.
        windows: The faults.
        leaps: From when until when clients felt that the clock had leapt.
    """

    def is_excused(failure: Failure) -> bool:
        leapt = failure.kind in TIME_PASSES and any(
            failure.ended >= began and failure.began <= ended for began, ended in leaps
        )
        return leapt or any(window.excuses(failure) for window in windows)

    return [failure for failure in failures if not is_excused(failure)]


class Chaos:
    """Disturbs a run.

    Args:
        faults: What happens, one after another at first.
        seconds: How long it goes on, with faults at random once all were tried.
        seed: Decides which.
        calm: Seconds of undisturbed traffic between two faults.
    """

    def __init__(self, faults: Sequence[Fault], seconds: float, seed: int, *, calm: float) -> None:
        self.windows: list[Window] = []
        self.leaps: list[tuple[float, float]] = []
        self._faults = faults
        self._seconds = seconds
        self._random = random.Random(seed)
        self._calm = calm

    async def run(self, world: World[Rig]) -> None:
        """Let every fault happen once, and then any for as long as there is time."""
        began = now()
        for fault in self._faults:
            await self._one(fault, world)
        while now() - began < self._seconds:
            await self._one(self._random.choice(self._faults), world)

    async def _one(self, fault: Fault, world: World[Rig]) -> None:
        for seconds in fault.earlier:
            began = now()
            await world.rig.pass_time(seconds)
            # Clients whose tokens are too old come back.
            await _recovered(world)
            self.leaps.append((began, now() + _LATE_NOTICE))
        counts = world.net.journal.counts
        window = Window(fault, now(), negotiations=-counts["negotiations"])
        say(f"         {fault.name}")
        async with fault.disturbance(world.rig):
            await asyncio.sleep(fault.hold)
        window.recovery = await _recovered(world)
        window.closed = now()
        window.negotiations += counts["negotiations"]
        self.windows.append(window)
        say(
            f"         served after {window.recovery.served:.1f} s, well after"
            f" {window.recovery.well:.1f} s, all clients back after {window.recovery.back:.1f} s"
        )
        await asyncio.sleep(self._calm)


async def _recovered(world: World[Rig]) -> Recovery:
    """Wait until everything is as before, but not for ever."""
    began = now()
    try:
        async with asyncio.timeout(_LONGEST_RECOVERY):
            moments = await asyncio.gather(_served(world), _well(world), back(world))
    except TimeoutError:
        return Recovery()
    return Recovery(*(moment - began for moment in moments))


async def _served(world: World[Running]) -> float:
    """Return when a negotiation has succeeded."""
    for number in count():
        with contextlib.suppress(RefusedError):
            await world.net.negotiate(f"probe-{number}")
            break
        await asyncio.sleep(_PROBE_PAUSE)
    return now()


async def _well(world: World[Running]) -> float:
    """Return when the app has begun to say, again and again, that it is well."""
    began, in_a_row = now(), 0
    while in_a_row < _WELL:
        asked = now()
        is_well = await world.net.app.is_well()
        in_a_row = in_a_row + 1 if is_well else 0
        began = began if in_a_row > 1 else asked
        await asyncio.sleep(_PROBE_PAUSE)
    return began


async def back(world: World[Running]) -> float:
    """Return when every client that is away has been connected again."""
    away = [client for client in world.traffic.clients if client.connection is None]
    # One that has been connected again since may have left once more.
    await until(lambda: not _still(away))
    return now()


def _still(away: list[Client]) -> list[Client]:
    """Leave out those that are connected, here and in the list."""
    away[:] = [client for client in away if client.connection is None]
    return away
