"""Does the steps of conversations, blocking."""

import contextvars
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from shared.errors import ServiceError
from shared.flow import Answer, Flow, GetKey, GetToken, Request, Step, Together, Wait, run
from shared.telemetry import Telemetry
from shared.transport import Transport

__all__ = ["Performer"]

_MOST_THREADS: Final = 64
"""Most conversations with one of several endpoints at a time."""


class Performer:
    """Does the steps of conversations, blocking. Threads may share it.

    Args:
        transport: Sends requests.
        telemetry: Records them, if anybody wants to know.
    """

    def __init__(self, transport: Transport, telemetry: Telemetry | None) -> None:
        self._transport = transport
        self._telemetry = telemetry
        self._threads: ThreadPoolExecutor | None = None

    def perform(self, step: Step) -> Answer:
        """Do one step and return its answer."""
        match step:
            case Request():
                return self._send(step)
            case GetToken(source, url, rejected):
                return source.get(url, rejected)
            case GetKey(source, timeout):
                return source.get(timeout)
            case Wait(seconds):
                time.sleep(seconds)
                return None
            case Together(flows):
                return self._together(flows)

    def after_fork(self) -> None:
        """Make it usable in a child process: neither threads nor connections can be shared."""
        self._threads = None
        self._transport.renew()

    def close(self) -> None:
        """End its threads and close its connections."""
        if self._threads is not None:
            self._threads.shutdown()
        self._transport.close()

    def _send(self, request: Request) -> Answer:
        if self._telemetry is None:
            return self._transport.send(request)
        with self._telemetry.request(request) as exchanged:
            response = self._transport.send(exchanged.request)
            exchanged.answered(response)
            return response

    def _together(self, flows: Sequence[Flow[object]]) -> Sequence[object]:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="signalr-endpoint")
        # The caller's span is the parent of the requests'. Each thread has a context of its own.
        held = [
            self._threads.submit(contextvars.copy_context().run, self._outcome, each)
            for each in flows
        ]
        return [each.result() for each in held]

    def _outcome(self, flow: Flow[object]) -> object:
        try:
            return run(flow, self.perform)
        except ServiceError as error:
            return error
