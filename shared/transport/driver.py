"""Does the effects of flows, blocking and for tasks of event loops."""

import threading
import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from .flow import (
    Effect,
    EffectResult,
    Gather,
    GetKey,
    GetToken,
    Recording,
    Request,
    Response,
    Sleep,
)
from .http import Transport

if TYPE_CHECKING:
    from .tasks import TaskDriver

__all__ = ["Driver"]


class Driver:
    """Does the effects of flows. Threads and event loops may share it.

    Args:
        transport: Sends requests.
        recording: Records a request that is sent in its block; `None` for no record.
        queue_timeout: Seconds that a request of a task may wait until it is begun, or `None` for
            any number.
    """

    def __init__(
        self,
        transport: Transport,
        recording: Recording | None = None,
        queue_timeout: float | None = None,
    ) -> None:
        self._transport = transport
        self._recording = recording
        self._queue_timeout = queue_timeout
        self._lock = threading.Lock()
        self._tasks: TaskDriver | None = None

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
                return self._for_tasks().result(effect)

    def perform_async(self, effect: Effect) -> Coroutine[Any, Any, EffectResult]:
        """Do one effect on the running event loop, and return its result."""
        if isinstance(effect, GetKey):
            # The one that a start has.
            return effect.source.get_async(effect.timeout)
        return (self._tasks or self._for_tasks()).perform(effect)

    def after_fork(self) -> None:
        """Make it usable in a child process, which has none of its threads."""
        self._lock = threading.Lock()
        if self._tasks is not None:
            self._tasks.after_fork()

    def close(self) -> None:
        """End its threads, and close what is open on event loops."""
        if self._tasks is not None:
            self._tasks.close()

    def _send(self, request: Request) -> Response:
        if self._recording is None:
            return self._transport.send(request)
        with self._recording(request) as recorded:
            recorded.response = self._transport.send(recorded.request)
            return recorded.response

    def _for_tasks(self) -> "TaskDriver":
        # Not above: no start needs it.
        from .tasks import TaskDriver  # noqa: PLC0415

        with self._lock:
            if self._tasks is None:
                self._tasks = TaskDriver(self._transport, self._recording, self._queue_timeout)
            return self._tasks
