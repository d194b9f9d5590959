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
