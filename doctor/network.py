"""Sends requests and remembers the last answer, which tells more than the error made of it."""

from collections.abc import Mapping
from typing import Final

from shared.errors import ServiceError
from shared.transport.driver import Driver
from shared.transport.flow import Effect, EffectResult, Flow, NoAnswerError, Request, Response, run
from shared.transport.http import Timeouts, Transport

__all__ = ["Network", "Outcome"]

_TIMEOUTS: Final = Timeouts(connect=3.0, read=5.0)
"""Shorter than an app's: somebody sits and waits."""

type Outcome = Response | NoAnswerError
"""What a request came to."""


class Network:
    """The way to the service and to the app."""

    def __init__(self) -> None:
        self._transport = Transport(_TIMEOUTS)
        self._driver = Driver(self._transport)
        self.last: Outcome | None = None

    def ask[T](self, flow: Flow[T]) -> T | ServiceError:
        """Run a flow with the service; return its result, or the error that ends it."""
        self.last = None
        try:
            return run(flow, self._perform)
        except ServiceError as error:
            return error

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        patience: float | None = None,
    ) -> Outcome:
        """Send one request without a body; redirects are not followed.

        Args:
            method: HTTP method.
            url: Where to.
            headers: Its headers.
            patience: Seconds of silence until the answer is given up, where the usual is too short.
        """
        try:
            answer = self._perform(Request(method, url, headers or {}, read_timeout=patience))
        except NoAnswerError as error:
            return error
        assert isinstance(answer, Response)  # noqa: S101  the answer to this step
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._driver.close()
        self._transport.close()

    def _perform(self, effect: Effect) -> EffectResult:
        try:
            answer = self._driver.perform(effect)
        except NoAnswerError as error:
            self.last = error
            raise
        if isinstance(answer, Response):
            self.last = answer
        return answer
