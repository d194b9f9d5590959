"""Does the steps of conversations."""

import time

from shared.endpoint_threads import EndpointThreads
from shared.flow import Answer, GetKey, GetToken, Request, Step, Together, Wait
from shared.loop_thread import LoopThread
from shared.telemetry import Telemetry
from shared.transport import Transport

__all__ = ["Performer"]


class Performer:
    """Does the steps of conversations. Threads may share it.

    Args:
        transport: Sends requests.
        telemetry: Records them, if anybody wants to know.
        patience: Seconds that a request to one of several endpoints may wait until it is begun.
    """

    def __init__(
        self, transport: Transport, telemetry: Telemetry | None, patience: float | None = None
    ) -> None:
        self._transport = transport
        self._telemetry = telemetry
        self._threads = EndpointThreads(self.perform, patience)
        self._loop = LoopThread()
        self.perform_async = self._threads.perform

    def perform(self, step: Step) -> Answer:
        """Do one step, blocking, and return its answer."""
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
            case Together():
                return self._loop.result(self.perform_async(step))

    def after_fork(self) -> None:
        """Make it usable in a child process: neither threads nor connections can be shared."""
        self._threads.after_fork()
        self._loop.after_fork()
        self._transport.renew()

    def close(self) -> None:
        """End its threads and close its connections."""
        self._loop.close()
        self._threads.close()
        self._transport.close()

    def _send(self, request: Request) -> Answer:
        if self._telemetry is None:
            return self._transport.send(request)
        with self._telemetry.request(request) as exchanged:
            response = self._transport.send(exchanged.request)
            exchanged.answered(response)
            return response
