"""Runs flows on an event loop, their blocking effects on threads of its own.

Each endpoint has its own threads, so that one that does not answer holds up nobody else, and what
cannot be begun there in time is given up unsent: behind it a queue would only grow.
"""

import asyncio
import contextlib
import contextvars
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from ..errors import ServiceError
from .flow import (
    Effect,
    EffectResult,
    Flow,
    Gather,
    GetKey,
    GetToken,
    NoAnswerError,
    Request,
    Sleep,
    run_async,
)

__all__ = ["MAX_CONCURRENCY", "EndpointThreads"]

MAX_CONCURRENCY: Final = 16
"""Most requests to an endpoint at a time."""

_IDENTITY: Final = ""
"""What tokens are asked for with: threads of no endpoint."""


class EndpointThreads:
    """Does the effects of flows without blocking the event loop.

    Args:
        perform: Does one effect, blocking.
        queue_timeout: Seconds that a request may wait until it is begun, unless it says itself
            how long an answer may take; `None` for any number.
    """

    def __init__(
        self, perform: Callable[[Effect], EffectResult], queue_timeout: float | None
    ) -> None:
        self._perform = perform
        self._queue_timeout = queue_timeout
        self.after_fork()

    def after_fork(self) -> None:
        """Make it usable in a child process, where its threads are gone."""
        self._endpoints: defaultdict[str, _Threads] = defaultdict(lambda: _Threads(self._perform))

    def close(self) -> None:
        """End its threads."""
        for threads in self._endpoints.values():
            threads.close()

    async def perform(self, effect: Effect) -> EffectResult:
        """Do one effect and return its result."""
        match effect:
            case GetToken(source, url, rejected) if token := source.cached(url, rejected):
                # A thread would take as long as a tenth of the request.
                return token
            case Sleep(seconds):
                await asyncio.sleep(seconds)
                return None
            case GetKey(source, timeout):
                return await source.get_async(timeout)
            case Gather(flows):
                return await self._together(flows)
            case Request(endpoint=name):
                return await self._endpoints[name].do(effect, self._queue_timeout_of(effect))
            case _:
                return await self._endpoints[_IDENTITY].do(effect, None)

    def _queue_timeout_of(self, request: Request) -> float | None:
        return None if self._queue_timeout is None else request.read_timeout or self._queue_timeout

    async def _together(self, flows: Sequence[Flow[object]]) -> Sequence[object]:
        return await asyncio.gather(*map(self._outcome, flows))

    async def _outcome(self, flow: Flow[object]) -> object:
        try:
            return await run_async(flow, self.perform)
        except ServiceError as error:
            return error


class _Job(NamedTuple):
    effect: Effect
    context: contextvars.Context
    answer: asyncio.Future[EffectResult]


class _Threads:
    """The threads of one endpoint and what waits for them.

    A thread does job after job as long as there are any, and hands each answer to the event
    loop itself: a pool's futures would cost a tenth of a message.
    """

    def __init__(self, perform: Callable[[Effect], EffectResult]) -> None:
        self._perform = perform
        # Not the worker's pool, which belongs to the app's blocking functions and is small.
        self._threads = ThreadPoolExecutor(MAX_CONCURRENCY, thread_name_prefix="signalr-send")
        self._lock = threading.Lock()
        self._waiting: deque[_Job] = deque()
        self._busy = 0

    def close(self) -> None:
        self._threads.shutdown(wait=False)

    async def do(self, effect: Effect, queue_timeout: float | None) -> EffectResult:
        """Do an effect on a thread.

        Args:
            effect: The effect.
            queue_timeout: Seconds that it may wait until it is begun, or `None` for any number.

        Raises:
            NoAnswerError: It was not begun in time, or got no answer.
        """
        loop = asyncio.get_running_loop()
        # The caller's span is the parent of the request's.
        job = _Job(effect, contextvars.copy_context(), loop.create_future())
        self._take(job)
        if queue_timeout is None:
            return await job.answer
        timer = loop.call_later(queue_timeout, self._give_up, job, queue_timeout)
        try:
            return await job.answer
        finally:
            timer.cancel()

    def _take(self, job: _Job) -> None:
        with self._lock:
            self._waiting.append(job)
            all_busy = self._busy == MAX_CONCURRENCY
            if not all_busy:
                self._busy += 1
        if not all_busy:
            self._threads.submit(self._work)

    def _give_up(self, job: _Job, queue_timeout: float) -> None:
        with self._lock:
            try:
                self._waiting.remove(job)
            except ValueError:  # it is under way
                return
        problem = f"{MAX_CONCURRENCY} other requests have waited for {queue_timeout:g} s"
        _settle(job.answer, None, NoAnswerError(problem, delivered=False))

    def _work(self) -> None:
        while (job := self._next()) is not None:
            if not job.answer.cancelled():
                self._do(job)

    def _next(self) -> _Job | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._busy -= 1
            return None

    def _do(self, job: _Job) -> None:
        answer: EffectResult = None
        failure: Exception | None = None
        try:
            answer = job.context.run(self._perform, job.effect)
        except Exception as error:  # noqa: BLE001  the flow decides what an error means
            failure = error
        # A loop that is closed has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            job.answer.get_loop().call_soon_threadsafe(_settle, job.answer, answer, failure)


def _settle(
    future: asyncio.Future[EffectResult], answer: EffectResult, failure: Exception | None
) -> None:
    if future.cancelled():
        return
    if failure is None:
        future.set_result(answer)
    else:
        future.set_exception(failure)
