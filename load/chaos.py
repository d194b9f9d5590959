"""Disturbs a run by one fault after another, and measures what each does."""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from load.client import Client
from load.faults import TIME_PASSES, Fault
from load.journal import Failure, FailureKind, now
from load.run import World, say
from load.traffic import until
from load.transports import RefusedError

__all__ = ["Chaos", "Window", "unexcused"]

_WELL: Final = 6
"""Times in a row that the app has to say that it is well: it has two processes to ask."""

_LONGEST_RECOVERY: Final = 120.0
_PROBE_PAUSE: Final = 0.05
_LATE_NOTICE: Final = 12.0
"""Seconds after which a client that only listens has noticed that its token is too old: it sends a
ping every ten."""

_SLACK: Final = 1.0
"""Seconds by which a machine that is busy may be late."""


@dataclass(slots=True)
class Window:
    """The time of one fault, until everything is as before.

    Args:
        fault: What it is.
        began: When it began.
        ended: When it was over.
        closed: When everything was as before.
        negotiations: How many there were.
        served: Seconds from its end to the first negotiation that succeeded.
        well: Seconds from its end until the app said that it is well.
        back: Seconds from its end until every client had a connection again.
    """

    fault: Fault
    began: float
    ended: float = inf
    closed: float = inf
    negotiations: int = 0
    served: float = inf
    well: float = inf
    back: float = inf

    def excuses(self, failure: Failure) -> bool:
        """Tell whether the fault may have caused a failure."""
        seen_late = _LATE_NOTICE if failure.kind is FailureKind.LOSS else 0.0
        if failure.ended < self.began or failure.began > self.closed + seen_late:
            return False
        if failure.kind not in self.fault.may_fail:
            return False
        late = failure.began > self.began + self.fault.noticed_within + _SLACK
        return not (failure.kind is FailureKind.NEGOTIATION and late)

    def holds(self, at: float) -> bool:
        """Tell whether a moment is within it."""
        return self.began <= at <= self.closed

    @property
    def too_slow(self) -> bool:
        """Whether it took longer to recover than is promised."""
        return max(self.served, self.well) > self.fault.recovers_within + _SLACK


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

    async def run(self, world: World) -> None:
        """Let every fault happen once, and then any for as long as there is time."""
        began = now()
        for fault in self._faults:
            await self._one(fault, world)
        while now() - began < self._seconds:
            await self._one(self._random.choice(self._faults), world)

    async def _one(self, fault: Fault, world: World) -> None:
        for seconds in fault.earlier:
            await self._leap(seconds, world)
        counts = world.net.journal.counts
        window = Window(fault, now(), negotiations=-counts["negotiations"])
        say(f"         {fault.name}")
        async with fault.disturbance(world.rig):
            await asyncio.sleep(fault.hold)
        window.ended = now()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_RECOVERY):
                await asyncio.gather(
                    self._served(window, world), self._well(window, world), _back(window, world)
                )
        window.closed = now()
        window.negotiations += counts["negotiations"]
        self.windows.append(window)
        say(
            f"         served after {window.served:.1f} s, well after {window.well:.1f} s,"
            f" all clients back after {window.back:.1f} s"
        )
        await asyncio.sleep(self._calm)

    async def _leap(self, seconds: float, world: World) -> None:
        """Let time pass, and clients whose tokens are too old come back."""
        began = now()
        await world.rig.pass_time(seconds)
        window = Window(self._faults[0], began, ended=began)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_RECOVERY):
                await asyncio.gather(
                    self._served(window, world), self._well(window, world), _back(window, world)
                )
        self.leaps.append((began, now() + _LATE_NOTICE))

    @staticmethod
    async def _served(window: Window, world: World) -> None:
        number = 0
        while True:
            number += 1
            try:
                await world.net.negotiate(f"probe-{number}")
            except RefusedError:
                await asyncio.sleep(_PROBE_PAUSE)
            else:
                break
        window.served = now() - window.ended

    @staticmethod
    async def _well(window: Window, world: World) -> None:
        in_a_row = 0
        while in_a_row < _WELL:
            in_a_row = in_a_row + 1 if await world.net.app.is_well() else 0
            if in_a_row == 1:
                first = now()
            await asyncio.sleep(_PROBE_PAUSE)
        window.well = first - window.ended


async def _back(window: Window, world: World) -> None:
    away = [client for client in world.traffic.clients if client.connection is None]
    # One that has been connected again since may have left once more.
    await until(lambda: not _still(away))
    window.back = now() - window.ended


def _still(away: list[Client]) -> list[Client]:
    """Leave out those that are connected, here and in the list."""
    away[:] = [client for client in away if client.connection is None]
    return away
