"""The deadlines of many connections, on a loop whose time is given."""

import asyncio
import gc
import selectors
from collections.abc import Iterator
from functools import partial

import pytest
from signalr_emulator.transports.deadlines import Deadlines


class GivenTime(selectors.DefaultSelector):
    """Waits in no time: the clock of its loop goes on by what would have been waited."""

    now = 1000.0
    waits = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout:
            self.now += timeout
            self.waits += 1
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.given = GivenTime()
        super().__init__(self.given)

    def time(self) -> float:
        return self.given.now


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def test_each_happens_at_its_time_and_once(loop: Loop) -> None:
    happened: list[tuple[str, float]] = []

    def happen(name: str) -> None:
        happened.append((name, loop.time()))

    async def run() -> None:
        deadlines = Deadlines()
        for name, when in (("b", 1002.0), ("a", 1001.0), ("c", 1003.0), ("a2", 1001.0)):
            deadlines.plan(when, partial(happen, name))
        deadlines.plan(1000.5, partial(happen, "cancelled")).cancel()
        await asyncio.sleep(10)

    loop.run_until_complete(run())
    assert sorted(name for name, _ in happened[:2]) == ["a", "a2"]
    assert [name for name, _ in happened[2:]] == ["b", "c"]
    for name, when in happened:
        due = {"a": 1001.0, "a2": 1001.0, "b": 1002.0, "c": 1003.0}[name]
        assert due <= when <= due + 0.02


def test_many_connections_share_wake_ups(loop: Loop) -> None:
    pings = 0
    count, interval, seconds = 5000, 15.0, 60.0

    async def run() -> None:
        deadlines = Deadlines()

        def ping() -> None:
            nonlocal pings
            pings += 1
            deadlines.plan(loop.time() + interval, ping)

        for number in range(count):
            deadlines.plan(1000.0 + interval * number / count, ping)
        loop.given.waits = 0
        await asyncio.sleep(seconds)

    loop.run_until_complete(run())
    assert pings == pytest.approx(count * seconds / interval, rel=0.02)
    assert loop.given.waits <= 101 * seconds


def test_what_fails_for_one_has_no_effect_on_others(loop: Loop) -> None:
    happened: list[str] = []
    failures: list[str] = []
    loop.set_exception_handler(lambda _, context: failures.append(str(context["exception"])))

    def fail() -> None:
        raise ValueError("on purpose")

    async def run() -> None:
        deadlines = Deadlines()
        deadlines.plan(1001.0, fail)
        deadlines.plan(1001.0, lambda: happened.append("same time"))
        deadlines.plan(1002.0, lambda: happened.append("later"))
        await asyncio.sleep(10)

    loop.run_until_complete(run())
    assert failures == ["on purpose"]
    assert happened == ["same time", "later"]


def test_who_has_cancelled_is_not_kept(loop: Loop) -> None:
    class Connection:
        def due(self) -> None:
            raise AssertionError("it was cancelled")

    async def run() -> None:
        connection = Connection()
        deadline = Deadlines().plan(2000.0, connection.due)
        deadline.cancel()
        del connection
        assert not any(isinstance(each, Connection) for each in gc.get_objects())

    loop.run_until_complete(run())
