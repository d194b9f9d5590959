"""Does the effects of flows for tasks of event loops."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any

from ..errors import ServiceError, ServiceUnavailableError
from ..identity.token import LONGEST_WAIT, Token, TokenSource, no_token_in_time
from .aio import LoopTransport
from .event_loop import LoopThread
from .flow import (
    Effect,
    EffectResult,
    Flow,
    Gather,
    GetKey,
    GetToken,
    NoAnswerError,
    Recording,
    Request,
    Response,
    Sleep,
    run_async,
)
from .http import Transport
from .threads import Threads

__all__ = ["TaskDriver", "settled_outcomes"]


class TaskDriver:
    """Does effects on any event loop, or on one of its own for those who block.

    Args:
        transport: Sends the requests of those who block.
        recording: Records a request that is sent in its block; `None` for no record.
        queue_timeout: Seconds that a request may wait until it is begun, or `None` for any number.
    """

    def __init__(
        self, transport: Transport, recording: Recording | None, queue_timeout: float | None
    ) -> None:
        self._recording = recording
        self._requests = LoopTransport(transport, queue_timeout)
        self._identity = Threads()
        self._loop = LoopThread()

    def perform(self, effect: Effect) -> Coroutine[Any, Any, EffectResult]:
        """Do one effect on the running event loop, and return its result."""
        match effect:
            case Request():
                recording = self._recording
                if recording is None:
                    return self._requests.send(effect)
                return self._send_recorded(effect, recording)
            case GetToken(source, url, rejected):
                return self._token(source, url, rejected)
            case GetKey(source, timeout):
                return source.get_async(timeout)
            case Sleep(seconds):
                return asyncio.sleep(seconds)
            case Gather(flows, settles, grace):
                return settled_outcomes([self._outcome(each) for each in flows], settles, grace)

    def result(self, effect: Effect) -> EffectResult:
        """Do one effect on an event loop of its own, blocking, and return its result."""
        return self._loop.result(self.perform(effect))

    def after_fork(self) -> None:
        """Make it usable in a child process, which has none of its threads."""
        self._requests.after_fork()
        self._identity = Threads()
        self._loop.after_fork()

    def close(self) -> None:
        """End its threads, and close what is open on event loops."""
        self._loop.close(self._requests.close_here)
        self._requests.close()
        self._identity.close()

    async def _send_recorded(self, request: Request, recording: Recording) -> Response:
        with recording(request) as recorded:
            recorded.response = await self._requests.send(recorded.request)
            return recorded.response

    async def _token(self, source: TokenSource, url: str, rejected: Token | None) -> Token:
        """Wait for the token that is asked for, and ask for it if nobody does.

        Only who asks takes a thread: however many callers, they wait for one request.
        """
        for _ in range(2):
            asked = source.ask(url, rejected)
            if asked.work is not None:
                try:
                    self._identity.run(asked.work)
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
