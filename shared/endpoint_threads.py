"""Holds conversations on an event loop, their blocking steps on threads of its own.

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

from shared.errors import ServiceError
from shared.flow import (
    Answer,
    Flow,
    GetKey,
    GetToken,
    NoAnswerError,
    Request,
    Step,
    Together,
    Wait,
    run_async,
)

__all__ = ["MAX_CONCURRENCY", "EndpointThreads"]

MAX_CONCURRENCY: Final = 16
"""Most requests to an endpoint at a time."""

_IDENTITY: Final = ""
"""What tokens are asked for with: threads of no endpoint."""


class EndpointThreads:
    """Does the steps of conversations without blocking the event loop.

    Args:
        perform: Does one step, blocking.
        patience: Seconds that a request may wait until it is begun, unless it says itself how long
            an answer may take; `None` for any number.
    """

    def __init__(self, perform: Callable[[Step], Answer], patience: float | None) -> None:
        self._perform = perform
        self._patience = patience
        self.after_fork()

    def after_fork(self) -> None:
        """Make it usable in a child process, where its threads are gone."""
        self._endpoints: defaultdict[str, _Threads] = defaultdict(lambda: _Threads(self._perform))

    def close(self) -> None:
        """End its threads."""
        for threads in self._endpoints.values():
            threads.close()

    async def perform(self, step: Step) -> Answer:
        """Do one step and return its answer."""
        match step:
            case GetToken(source, url, rejected) if token := source.at_hand(url, rejected):
                # A thread would take as long as a tenth of the request.
                return token
            case Wait(seconds):
                await asyncio.sleep(seconds)
                return None
            case GetKey(source, timeout):
                return await source.get_async(timeout)
            case Together(flows):
                return await self._together(flows)
            case Request(endpoint=name):
                return await self._endpoints[name].do(step, self._patience_with(step))
            case _:
                return await self._endpoints[_IDENTITY].do(step, None)

    def _patience_with(self, request: Request) -> float | None:
        return None if self._patience is None else request.read_timeout or self._patience

    async def _together(self, flows: Sequence[Flow[object]]) -> Sequence[object]:
        return await asyncio.gather(*map(self._outcome, flows))

    async def _outcome(self, flow: Flow[object]) -> object:
        try:
            return await run_async(flow, self.perform)
        except ServiceError as error:
            return error


class _Job(NamedTuple):
    step: Step
    context: contextvars.Context
    answer: asyncio.Future[Answer]


class _Threads:
    """The threads of one endpoint and what waits for them.

    A thread does job after job as long as there are any, and hands each answer to the event
    loop itself: a pool's futures would cost a tenth of a message.
    """

    def __init__(self, perform: Callable[[Step], Answer]) -> None:
        self._perform = perform
        # Not the worker's pool, which belongs to the app's blocking functions and is small.
        self._threads = ThreadPoolExecutor(MAX_CONCURRENCY, thread_name_prefix="signalr-send")
        self._lock = threading.Lock()
        self._waiting: deque[_Job] = deque()
        self._busy = 0

    def close(self) -> None:
        self._threads.shutdown(wait=False)

    async def do(self, step: Step, patience: float | None) -> Answer:
        """Do a step on a thread.

        Args:
            step: The step.
            patience: Seconds that it may wait until it is begun, or `None` for any number.

        Raises:
            NoAnswerError: It was not begun in time, or got no answer.
        """
        loop = asyncio.get_running_loop()
        # The caller's span is the parent of the request's.
        job = _Job(step, contextvars.copy_context(), loop.create_future())
        self._take(job)
        if patience is None:
            return await job.answer
        timer = loop.call_later(patience, self._give_up, job, patience)
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

    def _give_up(self, job: _Job, patience: float) -> None:
        with self._lock:
            try:
                self._waiting.remove(job)
            except ValueError:  # it is under way
                return
        problem = f"{MAX_CONCURRENCY} other requests have waited for {patience:g} s"
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
        answer: Answer = None
        failure: Exception | None = None
        try:
            answer = job.context.run(self._perform, job.step)
        except Exception as error:  # noqa: BLE001  the flow decides what an error means
            failure = error
        # A loop that is closed has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            job.answer.get_loop().call_soon_threadsafe(_settle, job.answer, answer, failure)


def _settle(future: asyncio.Future[Answer], answer: Answer, failure: Exception | None) -> None:
    if future.cancelled():
        return
    if failure is None:
        future.set_result(answer)
    else:
        future.set_exception(failure)
