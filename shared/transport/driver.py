"""Does the effects of flows."""

import time
from collections.abc import Callable

from .event_loop import LoopThread
from .flow import Effect, EffectResult, Gather, GetKey, GetToken, Request, Response, Sleep
from .threads import EndpointThreads

__all__ = ["Driver"]


class Driver:
    """Does the effects of flows, blocking and on an event loop. Threads may share it.

    Args:
        send: Sends a request and returns the answer, blocking.
        queue_timeout: Seconds that a request to one of several endpoints may wait until it is
            begun, or `None` for any number.
    """

    def __init__(
        self, send: Callable[[Request], Response], queue_timeout: float | None = None
    ) -> None:
        self._send = send
        self._threads = EndpointThreads(self.perform, queue_timeout)
        self._loop = LoopThread()
        self.perform_async = self._threads.perform

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

    def after_fork(self) -> None:
        """Make it usable in a child process, which has none of its threads."""
        self._threads.after_fork()
        self._loop.after_fork()

    def close(self) -> None:
        """End its threads."""
        self._loop.close()
        self._threads.close()
