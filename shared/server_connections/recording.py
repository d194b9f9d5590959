"""What is recorded of the server connections of one hub at one endpoint, where somebody looks."""

import logging
from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ServiceError, ServiceUnavailableError
from ..settings.endpoint import Endpoint
from ..telemetry import OPERATION, TRACING_ID, log_fields
from .instruments import Begun, Telemetry
from .line import NotWrittenError, Waiter

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Recording", "Sent"]

_logger = logging.getLogger(__name__)


class Sent(NamedTuple):
    """A message on its way.

    Args:
        data: The message behind its length, as `codec.write` returns it.
        about: Whom it is for. What is for the same goes by the same connection, in its order.
        begun: What is recorded of it, if anything is.
    """

    data: bytes
    about: str
    begun: Begun | None = None


class Recording:
    """Records what is done by server connections.

    Args:
        telemetry: The instruments, if the process has any.
        endpoint: The endpoint.
        hub: Name of the hub.
    """

    def __init__(self, telemetry: Telemetry | None, endpoint: Endpoint, hub: str) -> None:
        self._telemetry = telemetry
        self._endpoint = endpoint
        self._hub = hub

    async def sent(self, begun: Begun, writing: Awaitable[None]) -> None:
        """Record a message that is written."""
        await self._recorded(begun, writing)

    def waiter(self, begun: Begun, waiter: Waiter) -> Waiter:
        """Return a waiter that is told after what it waits for has been recorded."""
        return _Recorded(waiter, partial(self._done, begun))

    async def answered[T](self, operation: str, asking: Awaitable[T]) -> T:
        """Record what has an answer, and return the answer."""
        if self._telemetry is None:
            return await asking
        return await self._recorded(self._telemetry.begin(operation), asking)

    def attempted(self, failure: ServiceError | None) -> None:
        """Count an attempt to open a connection."""
        if self._telemetry is not None:
            outcome = "success" if failure is None else type(failure).__name__
            self._telemetry.attempted(self._endpoint.name, outcome)

    def up(self, change: int) -> None:
        """Count a connection that is up, or one that no longer is."""
        if self._telemetry is not None:
            self._telemetry.up(self._endpoint.name, change)

    def throttled(self) -> None:
        """Count that the service asks for less."""
        if self._telemetry is not None:
            self._telemetry.throttled(self._endpoint.name)

    async def _recorded[T](self, begun: Begun, doing: Awaitable[T]) -> T:
        try:
            result = await doing
        except Exception as error:
            self._done(begun, error)
            raise
        self._done(begun, None)
        return result

    def _done(self, begun: Begun, failure: Exception | None) -> None:
        if self._telemetry is not None:
            self._telemetry.done(begun, self._endpoint, self._hub, failure)
        if begun.tracing_id is None:
            return
        name = str(begun.tracing_id)
        if isinstance(failure, ServiceError):
            failure.tracing_id = name
        elif failure is None:
            fields = log_fields(hub=self._hub, endpoint=self._endpoint.name)
            _logger.info(
                "Message %s (%s in hub %s) was written to a server connection",
                name,
                begun.operation,
                self._hub,
                extra={**fields, OPERATION: begun.operation, TRACING_ID: name},
            )


class _Recorded:
    """Whoever waits for a message that is recorded."""

    __slots__ = ("_done", "_waiter", "done")

    def __init__(self, waiter: Waiter, done: "Callable[[Exception | None], None]") -> None:
        self._waiter = waiter
        self._done = done
        self.done = waiter.done

    def set_result(self, outcome: ServiceUnavailableError | None, /) -> None:
        # What has not left is sent again, and recorded then.
        if not isinstance(outcome, NotWrittenError):
            self._done(outcome)
        self._waiter.set_result(outcome)
