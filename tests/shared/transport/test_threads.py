"""Where the system gives no thread: an error at once, and all is well with the next one."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from shared.endpoints.health import Health, HealthMonitor
from shared.errors import ServiceUnavailableError
from shared.transport.event_loop import LoopThread
from shared.transport.flow import NoAnswerError
from shared.transport.threads import MAX_CONCURRENCY, Threads

type Refuse = Callable[[bool], None]


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Iterator[Refuse]:
    start = threading.Thread.start
    refused = False

    def started(thread: threading.Thread) -> None:
        if refused:
            raise RuntimeError("can't start new thread")
        start(thread)

    def switch(on: bool) -> None:
        nonlocal refused
        refused = on

    monkeypatch.setattr(threading.Thread, "start", started)
    yield switch
    switch(False)


def seven() -> int:
    return 7


async def test_as_many_refusals_as_there_may_be_threads_silence_no_endpoint(refuse: Refuse) -> None:
    threads = Threads()
    refuse(True)
    for _ in range(MAX_CONCURRENCY + 1):
        with pytest.raises(NoAnswerError, match="can't start new thread") as caught:
            await threads.call(seven)
        assert not caught.value.delivered
    refuse(False)
    assert await threads.call(seven) == 7
    threads.close()


async def test_the_threads_that_there_are_do_what_another_one_would_have_done(
    refuse: Refuse,
) -> None:
    release = threading.Event()

    def slow() -> int:
        release.wait(10)
        return 7

    threads = Threads()
    first = asyncio.create_task(threads.call(slow))
    await asyncio.sleep(0)
    refuse(True)
    second = asyncio.create_task(threads.call(slow))
    await asyncio.sleep(0)
    release.set()
    assert await first == 7
    assert await second == 7
    threads.close()


def test_a_loop_without_a_thread_is_an_error_and_no_wait(refuse: Refuse) -> None:
    async def seven() -> int:
        return 7

    loop = LoopThread()
    refuse(True)
    with pytest.raises(ServiceUnavailableError, match="can't start new thread"):
        loop.result(seven())
    refuse(False)
    assert loop.result(seven()) == 7
    loop.close()


def test_without_a_thread_for_checks_endpoints_count_as_before(refuse: Refuse) -> None:
    checked = threading.Event()
    health = Health()

    def check() -> bool:
        checked.set()
        return True

    monitor = HealthMonitor({"a": (health, check)})
    refuse(True)
    monitor.start()
    assert health.healthy
    refuse(False)
    monitor.start()
    assert checked.wait(10)
    monitor.close()


def test_what_comes_to_a_loop_that_is_closed_is_refused_and_does_not_wait() -> None:
    async def seven() -> int:
        return 7

    loop = LoopThread()
    assert loop.result(seven()) == 7
    for _ in range(2):
        loop.close()
    with pytest.raises(ServiceUnavailableError, match="closed"):
        loop.result(seven())


def test_closing_a_loop_lets_what_is_under_way_end() -> None:
    release = threading.Event()
    began = threading.Event()
    results: list[int] = []

    async def slow() -> int:
        began.set()
        await asyncio.to_thread(release.wait, 10)
        return 7

    loop = LoopThread()
    waiting = threading.Thread(target=lambda: results.append(loop.result(slow())))
    waiting.start()
    assert began.wait(10)
    closing = threading.Thread(target=loop.close)
    closing.start()
    release.set()
    for each in (waiting, closing):
        each.join(10)
    assert results == [7]


async def test_a_caller_that_is_gone_leaves_nothing_in_the_queue() -> None:
    release = threading.Event()
    done: list[int] = []

    def slow() -> None:
        release.wait(10)
        done.append(7)

    threads = Threads()
    first = [asyncio.create_task(threads.call(slow)) for _ in range(MAX_CONCURRENCY)]
    await asyncio.sleep(0)
    gone = [asyncio.create_task(threads.call(slow)) for _ in range(100)]
    await asyncio.sleep(0)
    for each in gone:
        each.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    release.set()
    await asyncio.gather(*first)
    threads.close()
    assert len(done) == MAX_CONCURRENCY


async def test_what_nobody_waits_for_any_more_is_handed_over() -> None:
    began = threading.Event()
    release = threading.Event()
    unwanted: list[int] = []
    handed_over = asyncio.Event()

    def slow() -> int:
        began.set()
        release.wait(10)
        return 7

    def take(result: int) -> None:
        unwanted.append(result)
        handed_over.set()

    threads = Threads()
    calling = asyncio.create_task(threads.call(slow, take))
    assert await asyncio.to_thread(began.wait, 10)
    calling.cancel()
    release.set()
    async with asyncio.timeout(10):
        await handed_over.wait()
    threads.close()
    assert unwanted == [7]
