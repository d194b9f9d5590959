"""Many negotiations at once: `python -m bench.rows.crowds`.

The app runs through Microsoft's worker library, and the emulator counts what it is asked. First a
thousand callers come to a cold app together. Then callers come without a pause while the access key
is replaced: the clocks of app and emulator are set forward by an hour at the beginning of every
other second, and the slowest hundredth of the calls in these seconds is held against that of the
others.
"""

import asyncio
import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from signalr_emulator.testing import RunningEmulator, running_emulator

from funchost.worker.messages import HttpRequest
from funchost.worker.runtime import Worker

from .. import report
from ..pairs import at_most, exactly, take_timed_turns

_ROOT = Path(__file__).parents[2]
_CROWD = 1000
_CALLERS = 8
_SECONDS = 1.0
_ROUNDS = 15
_HOUR = 3660.0
_LONGEST_ROTATION = 10.0
_REQUEST = HttpRequest("POST", "http://localhost:7071/api/negotiate", {}, {})


@dataclass(slots=True)
class _Clock:
    """The wall clock of this process, which can be set forward."""

    ahead: float = 0.0

    def time(self) -> float:
        return _time() + self.ahead


_time = time.time


class _App:
    """The app in Microsoft's worker."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._worker = Worker()
        self.failures = 0
        found = runner.run(self._worker.start(_ROOT))
        self._negotiate = next(each for each in found if each.name == "negotiate")

    def negotiate(self, callers: int) -> None:
        """Let so many callers come at once."""

        async def crowd() -> None:
            await asyncio.gather(*(self._call() for _ in range(callers)))

        self._runner.run(crowd())

    def busy(self, seconds: float) -> Sequence[float]:
        """Let callers come without a pause, and give the microseconds of each call."""
        until = time.perf_counter() + seconds
        took: list[float] = []

        async def caller() -> None:
            while (began := time.perf_counter()) < until:
                await self._call()
                took.append((time.perf_counter() - began) * 1e6)
                await asyncio.sleep(0)

        async def callers() -> None:
            await asyncio.gather(*(caller() for _ in range(_CALLERS)))

        self._runner.run(callers())
        return took

    def wait_for_new_key(self) -> None:
        """Let the replacement end that is under way: no service moves its clock during a proof."""
        service = sys.modules["function_app"].signalr.service
        give_up = time.perf_counter() + _LONGEST_ROTATION
        while (age := service.state[0].key.age) is None or age >= _HOUR / 2:
            if time.perf_counter() > give_up:
                raise SystemExit(f"the key was not replaced within {_LONGEST_ROTATION:g} s")
            self.negotiate(1)

    def stop(self) -> None:
        self._worker.stop()

    async def _call(self) -> None:
        response = await self._worker.invoke(self._negotiate, _REQUEST)
        self.failures += response.status != 200  # noqa: PLR2004  anything else is a failure


def tables() -> Iterator[report.Table]:
    """Measure."""
    logging.basicConfig(level=logging.CRITICAL)
    clock = _Clock()
    # Before the app is loaded, whose parts keep the function itself.
    time.time = clock.time
    with running_emulator() as emulator, asyncio.Runner() as runner:
        os.environ |= {
            **emulator.app_settings,
            "SIGNALR_HUBS": "chat",
            "NEGOTIATE_IDENTITY": "anonymous",
        }
        app = _App(runner)
        yield _cold(app, emulator)
        yield _rotation(app, emulator, clock)
        app.stop()


def _cold(app: _App, emulator: RunningEmulator) -> report.Table:
    app.negotiate(_CROWD)
    state = emulator.state()
    rows = [
        exactly(1, state["identityRequests"], "identity requests"),
        exactly(1, state["keyRequests"], "access key requests"),
        exactly(0, app.failures, "failures"),
    ]
    return report.Table(f"Negotiate, {_CROWD:,} callers of a cold process at once", rows)


def _rotation(app: _App, emulator: RunningEmulator, clock: _Clock) -> report.Table:
    before = emulator.state()["keyRequests"]

    def rotating() -> float:
        emulator.advance_clock(_HOUR)
        clock.ahead += _HOUR
        took = app.busy(_SECONDS)
        app.wait_for_new_key()
        return _slowest_hundredth(took)

    sides = {
        "99th percentile while the key is replaced": rotating,
        "99th percentile otherwise": lambda: _slowest_hundredth(app.busy(_SECONDS)),
    }
    taken = take_timed_turns(sides, lambda turns: [at_most(1.2, turns, *sides)], rounds=_ROUNDS)
    replaced = len(taken.loop) + 1
    counts = [
        exactly(replaced, emulator.state()["keyRequests"] - before, "keys replaced"),
        exactly(0, app.failures, "callers that failed while keys were replaced"),
    ]
    title = f"Negotiate, {_CALLERS} callers without a pause"
    return report.table_of(title, taken, counts=counts)


def _slowest_hundredth(took: Sequence[float]) -> float:
    return quantiles(took, n=100)[-1]


if __name__ == "__main__":
    sys.exit(report.run(tables, report.parser("crowds", __doc__).parse_args().json))
