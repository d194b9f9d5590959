"""One server connection as a state machine: bytes and the time go in, events come out.

It knows no socket and no clock, as the `Connection` of a client does.

Source: Azure/azure-signalr, specs/ServiceProtocol.md; what Microsoft.Azure.SignalR 1.34.0 does.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..errors import ProtocolError, ServiceMessageError
from ..service_protocol.codec import message_reader, read
from ..service_protocol.messages import HandshakeRequest, HandshakeResponse, Ping, ServiceError
from ..service_protocol.table import Message
from .timing import ServerTiming

__all__ = ["Closed", "Connection", "Event", "Opened", "Received", "Send"]

_LOGGER = logging.getLogger(__name__)

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Send:
    """This has to go to the server."""

    message: Message


@dataclass(frozen=True, slots=True)
class Opened:
    """The handshake is done."""

    request: HandshakeRequest


@dataclass(frozen=True, slots=True)
class Received:
    """The server has said this."""

    message: Message


@dataclass(frozen=True, slots=True)
class Closed:
    """The WebSocket has to be closed."""

    reason: str


type Event = Send | Opened | Received | Closed


class Connection:
    """The protocol side of one server connection.

    Args:
        connection_id: What the service calls it.
        refuse: Tells why a server is refused by what its handshake says, or gives None.
        timing: Time limits.
        now: Monotonic time at which the WebSocket connected, in seconds.
    """

    def __init__(
        self,
        connection_id: str,
        refuse: Callable[[HandshakeRequest], str | None],
        timing: ServerTiming,
        now: float,
    ) -> None:
        self._connection_id = connection_id
        self._refuse = refuse
        self._timing = timing
        self._reader = message_reader()
        self._is_open = False
        self.is_closed = False
        """Whether nothing more is sent, and what arrives is ignored."""
        self._handshake_by = now + timing.handshake
        self._last_received = now
        self._next_ping = now + timing.keep_alive

    @property
    def deadline(self) -> float:
        """Monotonic time at which `check` has something to do, in seconds."""
        if not self._is_open:
            return self._handshake_by
        return min(self._next_ping, self._last_received + self._timing.timeout)

    def receive(self, data: bytes, now: float) -> Iterator[Event]:
        """Take bytes of the server, and give what they ask for one after the other.

        Args:
            data: Any number of messages or parts of them.
            now: Monotonic time, in seconds.
        """
        self._last_received = now
        try:
            for body in self._reader.feed(data):
                yield from self._take(body)
                if self.is_closed:
                    return
        except ProtocolError as error:
            # Nobody knows where the next message begins.
            yield from self._close(str(error))

    def check(self, now: float) -> Iterator[Event]:
        """Do what the time asks for: a ping, or the end of a server that is gone.

        Args:
            now: Monotonic time, in seconds.
        """
        if self.is_closed:
            return
        if not self._is_open:
            if now >= self._handshake_by:
                limit = f"{self._timing.handshake:g}"
                yield from self._close(f"The handshake did not come within {limit} seconds.")
        elif now >= self._last_received + self._timing.timeout:
            yield from self._close("The server is silent.")
        elif now >= self._next_ping:
            self._next_ping = now + self._timing.keep_alive
            yield Send(Ping())

    def _take(self, body: bytes) -> Iterator[Event]:
        try:
            message = read(body)
        except ServiceMessageError as error:
            if not self._is_open:
                yield from self._close(str(error))
                return
            # The next message stands where its length says: only this one is lost.
            _LOGGER.warning("A message of a server connection is ignored: %s.", error)
            return
        if not self._is_open:
            yield from self._shake_hands(message)
        elif message is not None:
            yield Received(message)

    def _shake_hands(self, message: Message | None) -> Iterator[Event]:
        if not isinstance(message, HandshakeRequest):
            yield from self._close("The first message has to be the handshake.")
        elif message.version != _VERSION:
            yield from self._close(f"Version {message.version} is not supported, only {_VERSION}.")
        elif refusal := self._refuse(message):
            yield from self._close(refusal)
        else:
            self._is_open = True
            # Its answer is the first message: a server takes no other before it.
            yield Send(HandshakeResponse("", self._connection_id))
            yield Opened(message)

    def _close(self, reason: str) -> Iterator[Event]:
        self.is_closed = True
        yield Send(ServiceError(reason) if self._is_open else HandshakeResponse(reason))
        yield Closed(reason)
