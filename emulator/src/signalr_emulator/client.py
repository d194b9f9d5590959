"""A connected client, whatever its transport: what its connection asks for is carried out here."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from signalr_emulator.connection import Closed, Connection, Event, Invoked, Opened, Send, Timing
from signalr_emulator.hub_protocol import Completion, Invocation, StreamInvocation, encode_message
from signalr_emulator.hubs import Hubs
from signalr_emulator.outgoing import Outgoing

__all__ = ["Client", "Transport"]

_NO_UPSTREAM = "No upstream is configured, so that nothing can answer the invocation."
_NO_STREAMS = "A serverless hub does not support streams that a client asks for."


class Transport(Protocol):
    """Carries bytes to one client without waiting; after `close` it drops them."""

    def send(self, payload: bytes) -> None:
        """Send records of the hub protocol."""

    def deliver(self, message: Outgoing) -> None:
        """Send a message that goes to many clients."""

    def close(self) -> None:
        """Close the transport after what was sent."""


class Client:
    """One client from the connection of its transport to its end.

    Args:
        connection_id: Id that is unique within the service.
        hub: Name of the hub, in lower case.
        user_id: Who it is, or None.
        hubs: Where it becomes reachable once it has shaken hands.
        transport: Carries bytes to it.
        timing: Time limits.
        loop: Runs the timers.
    """

    def __init__(
        self,
        *,
        connection_id: str,
        hub: str,
        user_id: str | None,
        hubs: Hubs,
        transport: Transport,
        timing: Timing,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.connection_id = connection_id
        self.hub = hub
        self.user_id = user_id
        # The hub calls this once per recipient: without a method in between.
        self.deliver: Callable[[Outgoing], None] = transport.deliver
        self._hubs = hubs
        self._transport = transport
        self._loop = loop
        self._connection = Connection(loop.time(), timing)
        self._timer = loop.call_at(self._connection.deadline, self._check)

    def data_received(self, data: bytes) -> None:
        """Take bytes that the transport brought."""
        self._carry_out(self._connection.receive(data, self._loop.time()))

    def disconnect(self, error: str | None, *, allow_reconnect: bool) -> None:
        """End the connection from the service's side.

        Args:
            error: What the client is told, or None.
            allow_reconnect: Whether the client may try again on its own.
        """
        self._carry_out(self._connection.close(error, allow_reconnect=allow_reconnect))

    def transport_lost(self) -> None:
        """Clean up after the transport is gone, for whatever reason."""
        self._timer.cancel()
        self._hubs.remove(self)

    def _check(self) -> None:
        self._carry_out(self._connection.check(self._loop.time()))
        if not self._timer.cancelled():
            self._timer = self._loop.call_at(self._connection.deadline, self._check)

    def _carry_out(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Send():
                    self._transport.send(event.payload)
                case Opened():
                    self._hubs.add(self)
                    self._timer.cancel()
                    self._timer = self._loop.call_at(self._connection.deadline, self._check)
                case Invoked():
                    self._answer(event.message)
                case Closed():
                    self.transport_lost()
                    self._transport.close()

    def _answer(self, message: Invocation | StreamInvocation) -> None:
        if message.invocation_id is None:
            return
        error = _NO_UPSTREAM if isinstance(message, Invocation) else _NO_STREAMS
        self._transport.send(encode_message(Completion(message.invocation_id, error=error)))
