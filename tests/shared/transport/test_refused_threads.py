"""Where the system gives no thread: an error at once, and all is well with the next one."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from shared.endpoints.health import Health, HealthMonitor
from shared.errors import ServiceUnavailableError
from shared.transport.event_loop import LoopThread
from shared.transport.flow import Effect, EffectResult, NoAnswerError, Request, Response
from shared.transport.threads import MAX_CONCURRENCY, EndpointThreads

REQUEST = Request("GET", "http://a.bc", {}, endpoint="a")

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


def answer(_: Effect) -> EffectResult:
    return Response(200, {})


async def test_as_many_refusals_as_there_may_be_threads_silence_no_endpoint(refuse: Refuse) -> None:
    threads = EndpointThreads(answer, None)
    refuse(True)
    for _ in range(MAX_CONCURRENCY + 1):
        with pytest.raises(NoAnswerError, match="can't start new thread") as caught:
            await threads.perform(REQUEST)
        assert not caught.value.delivered
    refuse(False)
    assert isinstance(await threads.perform(REQUEST), Response)
    threads.close()


async def test_the_threads_that_there_are_do_what_another_one_would_have_done(
    refuse: Refuse,
) -> None:
    release = threading.Event()

    def slow(_: Effect) -> EffectResult:
        release.wait(10)
        return Response(200, {})

    threads = EndpointThreads(slow, None)
    first = asyncio.create_task(threads.perform(REQUEST))
    await asyncio.sleep(0)
    refuse(True)
    second = asyncio.create_task(threads.perform(REQUEST))
    await asyncio.sleep(0)
    release.set()
    assert isinstance(await first, Response)
    assert isinstance(await second, Response)
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
    done: list[str] = []

    def slow(effect: Effect) -> EffectResult:
        assert isinstance(effect, Request)
        release.wait(10)
        done.append(effect.url)
        return Response(200, {})

    threads = EndpointThreads(slow, None)
    first = [asyncio.create_task(threads.perform(REQUEST)) for _ in range(MAX_CONCURRENCY)]
    await asyncio.sleep(0)
    gone = [asyncio.create_task(threads.perform(REQUEST)) for _ in range(100)]
    await asyncio.sleep(0)
    for each in gone:
        each.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    release.set()
    await asyncio.gather(*first)
    threads.close()
    assert len(done) == MAX_CONCURRENCY
