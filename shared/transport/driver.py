"""Does the effects of flows."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Any

from ..errors import ServiceError
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
    Recorded,
    Request,
    Response,
    Sleep,
    run_async,
)
from .gathering import settled_outcomes
from .http import Transport
from .threads import Threads

__all__ = ["Driver"]


type _Recording = Callable[[Request], AbstractContextManager[Recorded]]


class Driver:
    """Does the effects of flows, blocking and on event loops. Threads may share it.

    Args:
        transport: Sends requests.
        recording: Records a request that is sent in its block; `None` for no record.
        queue_timeout: Seconds that a request on an event loop may wait until it is begun, or `None`
            for any number.
    """

    def __init__(
        self,
        transport: Transport,
        recording: _Recording | None = None,
        queue_timeout: float | None = None,
    ) -> None:
        self._transport = transport
        self._recording = recording
        self._on_loops = LoopTransport(transport, queue_timeout)
        self._identity = Threads()
        self._loop = LoopThread()

    def perform(self, effect: Effect) -> EffectResult:
        """Do one effect, blocking, and return its result."""
        match effect:
            case Request():
                return self._send(effect)
            case GetToken(source, url, rejected):
                return source.get(url, rejected)
            case GetKey(source, timeout):
                return source.get(timeout)
            case Sleep(seconds):
                time.sleep(seconds)
                return None
            case Gather():
                return self._loop.result(self.perform_async(effect))

    def perform_async(self, effect: Effect) -> Coroutine[Any, Any, EffectResult]:
        """Do one effect on the running event loop, and return its result."""
        match effect:
            case Request():
                recording = self._recording
                if recording is None:
                    return self._on_loops.send(effect)
                return self._send_recorded(effect, recording)
            case GetToken():
                return self._token(effect)
            case GetKey(source, timeout):
                return source.get_async(timeout)
            case Sleep(seconds):
                return asyncio.sleep(seconds)
            case Gather(flows, settles, grace):
                return settled_outcomes([self._outcome(each) for each in flows], settles, grace)

    def after_fork(self) -> None:
        """Make it usable in a child process, which has none of its threads."""
        self._on_loops.after_fork()
        self._identity = Threads()
        self._loop.after_fork()

    def close(self) -> None:
        """End its threads, and close what is open on event loops."""
        self._loop.close(self._on_loops.close_here)
        self._on_loops.close()
        self._identity.close()

    def _send(self, request: Request) -> Response:
        if self._recording is None:
            return self._transport.send(request)
        with self._recording(request) as recorded:
            recorded.response = self._transport.send(recorded.request)
            return recorded.response

    async def _send_recorded(self, request: Request, recording: _Recording) -> Response:
        with recording(request) as recorded:
            recorded.response = await self._on_loops.send(recorded.request)
            return recorded.response

    async def _token(self, get: GetToken) -> Token:
        # A thread would take as long as a tenth of the request.
        return get.source.cached(get.url, get.rejected) or await self._asked_token(*get)

    async def _asked_token(self, source: TokenSource, url: str, rejected: Token | None) -> Token:
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
            return await run_async(flow, self.perform_async)
        except ServiceError as error:
            return error
