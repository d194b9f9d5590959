"""Threads for what blocks, of those who wait on event loops."""

import asyncio
import contextlib
import contextvars
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from .flow import NoAnswerError

__all__ = ["MAX_CONCURRENCY", "Threads"]

MAX_CONCURRENCY: Final = 16
"""Most requests to an endpoint at a time."""

_LONGEST_IDLE: Final = 60.0
"""Seconds after which a thread that has nothing to do ends."""


class _Job(NamedTuple):
    """Somebody on an event loop waits for it."""

    work: Callable[[], Any]
    context: contextvars.Context
    result: asyncio.Future[Any]
    unwanted: Callable[[Any], None]


type _Work = _Job | Callable[[], None]


def _forget(_: object) -> None:
    pass


class Threads:
    """As many threads as are needed, up to so many requests as an endpoint has at a time.

    A thread does one thing after the other as long as there is any.
    """

    def __init__(self) -> None:
        # Not the worker's pool, which belongs to the app's blocking functions and is small.
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

    async def call[T](self, work: Callable[[], T], unwanted: Callable[[T], None] = _forget) -> T:
        """Return what something blocking returns, with the caller's context variables.

        Args:
            work: It.
            unwanted: Is given what it returns when nobody waits any more.

        Raises:
            NoAnswerError: The system has no thread to give, and there is none.
        """
        result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        # The caller's span is the parent of the request's.
        job = _Job(work, contextvars.copy_context(), result, unwanted)
        self.run(job)
        try:
            return await result
        except asyncio.CancelledError:
            # Nobody waits for it any more, so it holds up nobody behind it.
            with self._changed, contextlib.suppress(ValueError):
                self._waiting.remove(job)
            raise

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

    def _work(self) -> None:
        while (work := self._next()) is not None:
            if not isinstance(work, _Job):
                work()
            elif not work.result.cancelled():
                _do(work)

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


def _do(job: _Job) -> None:
    outcome: object = None
    failure: BaseException | None = None
    try:
        outcome = job.context.run(job.work)
    except BaseException as error:  # noqa: BLE001  the caller decides what an error means
        failure = error
    try:
        job.result.get_loop().call_soon_threadsafe(_settle, job, outcome, failure)
    except RuntimeError:
        # A loop that is closed has nobody left who waits.
        if failure is None:
            job.unwanted(outcome)


def _settle(job: _Job, outcome: object, failure: BaseException | None) -> None:
    if not job.result.cancelled():
        if failure is None:
            job.result.set_result(outcome)
        else:
            job.result.set_exception(failure)
    elif failure is None:
        job.unwanted(outcome)
