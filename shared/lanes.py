"""Holds conversations on an event loop, their blocking steps on threads of its own.

Each endpoint has its own threads, so that one that does not answer holds up nobody else, and what
cannot be begun there in time is given up unsent: behind it a queue would only grow.
"""

import asyncio
import contextvars
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

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

__all__ = ["MAX_CONCURRENCY", "Lanes"]

MAX_CONCURRENCY: Final = 16
"""Most requests to an endpoint at a time."""

_IDENTITY: Final = ""
"""What tokens are asked for with: threads of no endpoint."""


class Lanes:
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
        # Not the worker's pool, which belongs to the app's blocking functions and is small.
        self._threads: defaultdict[str, ThreadPoolExecutor] = defaultdict(
            lambda: ThreadPoolExecutor(MAX_CONCURRENCY, thread_name_prefix="signalr-send")
        )

    def close(self) -> None:
        """End its threads."""
        for threads in self._threads.values():
            threads.shutdown(wait=False)

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
            case Request():
                return await self._send(step)
            case _:
                return await asyncio.wrap_future(self._begin(_IDENTITY, step))

    async def _send(self, request: Request) -> Answer:
        held = self._begin(request.endpoint, request)
        if self._patience is None:
            return await asyncio.wrap_future(held)
        return await _in_turn(held, request.read_timeout or self._patience)

    def _begin(self, name: str, step: Step) -> Future[Answer]:
        # The caller's span is the parent of the request's.
        context = contextvars.copy_context()
        return self._threads[name].submit(context.run, self._perform, step)

    async def _together(self, flows: Sequence[Flow[object]]) -> Sequence[object]:
        return await asyncio.gather(*map(self._outcome, flows))

    async def _outcome(self, flow: Flow[object]) -> object:
        try:
            return await run_async(flow, self.perform)
        except ServiceError as error:
            return error


async def _in_turn(held: Future[Answer], patience: float) -> Answer:
    """Wait for an answer, and at most `patience` seconds until its request is begun.

    Raises:
        NoAnswerError: It was not begun in time, or got no answer.
    """
    given_up = False

    def give_up() -> None:
        nonlocal given_up
        given_up = held.cancel()  # which has no effect on one that is under way

    timer = asyncio.get_running_loop().call_later(patience, give_up)
    try:
        return await asyncio.wrap_future(held)
    except asyncio.CancelledError:
        if not given_up:
            raise
        raise NoAnswerError(
            f"{MAX_CONCURRENCY} other requests have waited for {patience:g} s", delivered=False
        ) from None
    finally:
        timer.cancel()
