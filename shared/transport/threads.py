"""Runs flows on an event loop, their blocking effects on threads of its own.

Each endpoint has its own threads, so that one that does not answer holds up nobody else. Among
several endpoints, what cannot be begun in time is given up unsent: a queue would only grow.
"""

import asyncio
import contextlib
import contextvars
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any, Final, NamedTuple

from ..errors import ServiceError, ServiceUnavailableError
from ..identity.token import LONGEST_WAIT, Token, TokenSource, no_token_in_time
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

__all__ = ["MAX_CONCURRENCY", "EndpointThreads", "settled_outcomes"]

MAX_CONCURRENCY: Final = 16
"""Most requests to an endpoint at a time."""

_LONGEST_IDLE: Final = 60.0
"""Seconds after which a thread that has nothing to do ends."""

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
        for threads in list(self._endpoints.values()):
            threads.close()

    async def perform(self, effect: Effect) -> EffectResult:
        """Do one effect and return its result."""
        match effect:
            case GetToken(source, url, rejected):
                # A thread would take as long as a tenth of the request.
                return source.cached(url, rejected) or await self._token(source, url, rejected)
            case Sleep(seconds):
                await asyncio.sleep(seconds)
                return None
            case GetKey(source, timeout):
                return await source.get_async(timeout)
            case Gather():
                return await self._gather(effect)
            case Request(endpoint=name):
                return await self._endpoints[name].do(effect, self._queue_timeout_of(effect))

    async def _token(self, source: TokenSource, url: str, rejected: Token | None) -> Token:
        """Wait for the token that is asked for, and ask for it if nobody does.

        Only who asks takes a thread: however many callers, they wait for one request.
        """
        for _ in range(2):
            asked = source.ask(url, rejected)
            if asked.work is not None:
                try:
                    self._endpoints[_IDENTITY].run(asked.work)
                except NoAnswerError as error:
                    if asked.give_up is not None:
                        asked.give_up(error)
            try:
                token = await asyncio.wait_for(asyncio.wrap_future(asked.token), LONGEST_WAIT)
            except TimeoutError:
                raise no_token_in_time() from None
            if token != rejected:
                return token
            # Somebody else had asked already, for whom the old one was good enough.
        return token

    def _queue_timeout_of(self, request: Request) -> float | None:
        return None if self._queue_timeout is None else request.read_timeout or self._queue_timeout

    async def _gather(self, gather: Gather) -> Sequence[object]:
        outcomes = [self._outcome(flow) for flow in gather.flows]
        return await settled_outcomes(outcomes, gather.settles, gather.grace)

    async def _outcome(self, flow: Flow[object]) -> object:
        try:
            return await run_async(flow, self.perform)
        except ServiceError as error:
            return error


async def settled_outcomes[T](
    outcomes: Sequence[Coroutine[Any, Any, T]], settles: Callable[[T], bool], grace: float
) -> Sequence[T | ServiceError]:
    """Run coroutines at once and return what each comes to, in their order.

    Args:
        outcomes: The coroutines. What they raise is raised at once.
        settles: Tells of an outcome whether the others need not be waited for.
        grace: Seconds that they have all the same. What has no outcome by then is given up, and
            comes to a `ServiceUnavailableError`.
    """
    tasks = [asyncio.create_task(each) for each in outcomes]
    waiting: Collection[asyncio.Task[T]] = tasks
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            # An error of the caller's own is raised here, whatever the others come to.
            if any(settles(task.result()) for task in done) and waiting:
                await asyncio.wait(waiting, timeout=grace)
                break
        return [task.result() if task.done() else _not_waited_for() for task in tasks]
    finally:
        for task in tasks:
            task.cancel()


def _not_waited_for() -> ServiceError:
    return ServiceUnavailableError("It had not answered when another endpoint had done it")


class _Job(NamedTuple):
    effect: Effect
    context: contextvars.Context
    answer: asyncio.Future[EffectResult]


type _Work = _Job | Callable[[], None]


class _Threads:
    """The threads of one endpoint and what waits for them.

    A thread does job after job as long as there are any, and hands each answer to the event
    loop itself: a pool's futures would cost a tenth of a message.
    """

    def __init__(self, perform: Callable[[Effect], EffectResult]) -> None:
        # Not the worker's pool, which belongs to the app's blocking functions and is small.
        self._perform = perform
        self._waiting: deque[_Work] = deque()
        self._changed = threading.Condition()
        self._count = 0
        self._idle = 0
        self._is_closed = False

    def close(self) -> None:
        """End the threads that have nothing to do, and the others after what waits for them."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

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
        self.run(job)
        timer = (
            None
            if queue_timeout is None
            else loop.call_later(queue_timeout, self._give_up, job, queue_timeout)
        )
        try:
            return await job.answer
        except asyncio.CancelledError:
            # Nobody waits for it any more, so it holds up nobody behind it.
            self._forget(job)
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def run(self, work: _Work) -> None:
        """Have something done on a thread.

        Raises:
            NoAnswerError: The system has no thread to give, and there is none.
        """
        with self._changed:
            self._waiting.append(work)
            # One that is awake takes it even so, once it has done what it does now.
            if self._idle >= len(self._waiting):
                self._changed.notify()
                return
            if self._count == MAX_CONCURRENCY:
                return
            self._count += 1
        try:
            threading.Thread(target=self._work, name="signalr-send", daemon=True).start()
        except RuntimeError as error:
            self._start_failed(work, error)

    def _start_failed(self, work: _Work, error: RuntimeError) -> None:
        with self._changed:
            self._count -= 1
            if self._count > 0 or work not in self._waiting:
                # The threads that there are do it, a little later.
                return
            self._waiting.remove(work)
        raise NoAnswerError(f"no thread for the request: {error}", delivered=False) from error

    def _forget(self, job: _Job) -> bool:
        """Take a job out of the queue; tell whether it was there and not under way."""
        with self._changed:
            try:
                self._waiting.remove(job)
            except ValueError:
                return False
            return True

    def _give_up(self, job: _Job, queue_timeout: float) -> None:
        if not self._forget(job):
            return
        problem = f"{MAX_CONCURRENCY} other requests have waited for {queue_timeout:g} s"
        _settle(job.answer, None, NoAnswerError(problem, delivered=False))

    def _work(self) -> None:
        while (work := self._next()) is not None:
            if not isinstance(work, _Job):
                work()
            elif not work.answer.cancelled():
                self._do(work)

    def _next(self) -> _Work | None:
        with self._changed:
            while not self._waiting:
                self._idle += 1
                was_told = not self._is_closed and self._changed.wait(_LONGEST_IDLE)
                self._idle -= 1
                if not was_told and not self._waiting:
                    self._count -= 1
                    return None
            return self._waiting.popleft()

    def _do(self, job: _Job) -> None:
        answer: EffectResult = None
        failure: BaseException | None = None
        try:
            answer = job.context.run(self._perform, job.effect)
        except BaseException as error:  # noqa: BLE001  the flow decides what an error means
            failure = error
        # A loop that is closed has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            job.answer.get_loop().call_soon_threadsafe(_settle, job.answer, answer, failure)


def _settle(
    future: asyncio.Future[EffectResult], answer: EffectResult, failure: BaseException | None
) -> None:
    if future.cancelled():
        return
    if failure is None:
        future.set_result(answer)
    else:
        future.set_exception(failure)
