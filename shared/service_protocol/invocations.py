"""Results that clients are asked for.

Source: Azure/azure-signalr, specs/ClientInvocation.md.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from ..errors import ServiceUnavailableError
from .items import Pairs
from .messages import ClientCompletion, ClientInvocation, ErrorCompletion, ServiceMapping
from .pending import Outcome, Pending

__all__ = ["Completion", "Invocations"]

_LONGEST: Final = 600.0
"""Seconds for which the service keeps an invocation."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What a client has answered.

    Args:
        protocol: The hub protocol that the message is written in.
        message: Its completion, framing included.
        error: Why there is none, by the service, or `None`.
    """

    protocol: str | None = None
    message: bytes = field(default=b"", repr=False)
    error: str | None = None


@dataclass(slots=True)
class _Asked[W]:
    waiter: W
    connection_id: str
    line: object
    instance_id: str | None = None


class Invocations[W]:
    """The invocations of all connections to one hub at one endpoint.

    Args:
        server_id: The name by which the service knows this process.
    """

    def __init__(self, server_id: str) -> None:
        self._server_id = server_id
        self._last = 0
        self._pending: Pending[str, _Asked[W]] = Pending()

    @property
    def due(self) -> float:
        """When `overdue` is to be called, in seconds of a steady clock."""
        return self._pending.due

    def ask(
        self,
        connection_id: str,
        write: Callable[[str], Pairs[bytes]],
        waiter: W,
        *,
        seconds: float,
        line: object,
        now: float,
    ) -> ClientInvocation:
        """Wait for a client's result.

        Args:
            connection_id: The client's connection.
            write: Gives the message to the client, in each hub protocol, for an invocation id.
            waiter: Whoever wants to know; given back with the result.
            seconds: For how long to wait, 600 at most.
            line: The connection that the invocation is written to.
            now: Seconds of a steady clock.

        Returns:
            The invocation as it is to be written.
        """
        self._last += 1
        # As the SDK for .NET names them: the service may have them from several servers.
        invocation_id = f"{connection_id}-{self._server_id}-{self._last}"
        invocation = ClientInvocation(
            invocation_id=invocation_id,
            connection_id=connection_id,
            caller_server_id=self._server_id,
            payloads=write(invocation_id),
        )
        asked = _Asked(waiter, connection_id, line)
        self._pending.add(invocation_id, asked, now + min(seconds, _LONGEST), now)
        return invocation

    def forget(self, invocation: ClientInvocation) -> None:
        """Wait no more, since the invocation was not written or nobody wants to know."""
        self._pending.take(invocation.invocation_id)

    def completed(
        self, message: ClientCompletion | ErrorCompletion
    ) -> Outcome[W, Completion] | None:
        """Take a client's result. Nobody waits for one that is late, or comes again."""
        asked = self._pending.take(message.invocation_id)
        if asked is None:
            return None
        if isinstance(message, ErrorCompletion):
            return Outcome(asked.waiter, Completion(error=message.error))
        return Outcome(asked.waiter, Completion(message.protocol, message.payload))

    def mapped(self, message: ServiceMapping) -> None:
        """Take note of the instance of the service that has the client."""
        asked = self._pending.get(message.invocation_id)
        if asked is not None:
            asked.instance_id = message.instance_id

    def instance_offline(self, instance_id: str) -> list[Outcome[W, Completion]]:
        """Return the results that will not come, since their clients' instance is gone."""
        over = self._pending.take_where(lambda asked: asked.instance_id == instance_id)
        return _unanswered(over, "it is disconnected")

    def overdue(self, now: float) -> list[Outcome[W, Completion]]:
        """Return the results that have not come in time."""
        return _unanswered(self._pending.overdue(now), "no result in time")

    def lost(self, line: object) -> list[Outcome[W, Completion]]:
        """Return the results that will not come, since their server connection is lost."""
        over = self._pending.take_where(lambda asked: asked.line == line)
        return _unanswered(over, "the server connection was lost")


def _unanswered[W](over: list[_Asked[W]], why: str) -> list[Outcome[W, Completion]]:
    return [
        Outcome(each.waiter, ServiceUnavailableError(f"Connection {each.connection_id!r}: {why}"))
        for each in over
    ]
