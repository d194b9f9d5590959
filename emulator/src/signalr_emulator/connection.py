"""One client connection as a state machine: bytes and the time go in, events come out.

It knows no socket and no clock. Any transport that moves bytes can drive it: hand in what arrives
with `receive`, call `check` when `deadline` has passed, and carry out the events in their order.
Source of the timing: defaults of ASP.NET Core SignalR, which the service keeps.
"""

from dataclasses import dataclass
from enum import Enum

from signalr_emulator.errors import ProtocolError
from signalr_emulator.hub_protocol import (
    PING,
    Close,
    HandshakeResponse,
    Invocation,
    Message,
    RecordReader,
    StreamInvocation,
    encode_message,
    parse_handshake,
    parse_message,
)

__all__ = ["Closed", "Connection", "Event", "Invoked", "Opened", "Send", "State", "Timing"]

_PROTOCOL = "json"
_VERSION = 1


class State(Enum):
    """How far a connection has come."""

    HANDSHAKE = "handshake"
    """The transport is connected; the client has not said what it speaks."""

    OPEN = "open"
    """Messages flow."""

    CLOSED = "closed"
    """Nothing more is sent, and what arrives is ignored."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Time limits of a connection, in seconds.

    Attributes:
        connect: From negotiation to the connection of the transport.
        handshake: From the connection of the transport to the handshake.
        keep_alive: Between two pings of the service.
        client_timeout: Silence of the client after which it counts as gone.
    """

    connect: float = 15.0
    handshake: float = 15.0
    keep_alive: float = 15.0
    client_timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Send:
    """These bytes have to go to the client."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """The handshake is done: the client can be reached from now on."""


@dataclass(frozen=True, slots=True)
class Invoked:
    """The client calls a method."""

    message: Invocation | StreamInvocation


@dataclass(frozen=True, slots=True)
class Closed:
    """The transport has to be closed; `error` is None for an orderly end."""

    error: str | None


type Event = Send | Opened | Invoked | Closed


class Connection:
    """The protocol side of one client.

    Args:
        now: Monotonic time at which the transport connected, in seconds.
        timing: Time limits.
    """

    def __init__(self, now: float, timing: Timing) -> None:
        self._timing = timing
        self._state = State.HANDSHAKE
        self._records = RecordReader()
        self._handshake_by = now + timing.handshake
        self._last_received = now
        self._next_ping = now

    @property
    def state(self) -> State:
        """How far the connection has come."""
        return self._state

    @property
    def deadline(self) -> float:
        """Monotonic time at which `check` has something to do, in seconds."""
        if self._state is State.HANDSHAKE:
            return self._handshake_by
        return min(self._next_ping, self._last_received + self._timing.client_timeout)

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take bytes of the client.

        Args:
            data: Any number of records or parts of them.
            now: Monotonic time, in seconds.
        """
        events: list[Event] = []
        if self._state is State.CLOSED:
            return events
        self._last_received = now
        try:
            for record in self._records.feed(data):
                if self.state is State.CLOSED:
                    break
                events += self._record(record, now)
        except ProtocolError as error:
            events += self.close(str(error))
        return events

    def check(self, now: float) -> list[Event]:
        """Do what the time asks for: a ping, or the end of a client that keeps silent."""
        if self._state is State.HANDSHAKE and now >= self._handshake_by:
            return self.close(
                f"The handshake did not come within {self._timing.handshake:g} seconds."
            )
        if self._state is not State.OPEN:
            return []
        if now >= self._last_received + self._timing.client_timeout:
            # A client whose network came back should try again, so this is no error to it.
            return self.close(None, allow_reconnect=True)
        if now < self._next_ping:
            return []
        self._next_ping = now + self._timing.keep_alive
        return [Send(PING)]

    def close(self, error: str | None, *, allow_reconnect: bool = False) -> list[Event]:
        """End the connection from the service's side.

        Args:
            error: What the client is told, or None.
            allow_reconnect: Whether the client may try again on its own.
        """
        if self._state is State.CLOSED:
            return []
        during_handshake = self._state is State.HANDSHAKE
        self._state = State.CLOSED
        if during_handshake:
            reason = error or "The connection was closed."
            return [Send(encode_message(HandshakeResponse(reason))), Closed(reason)]
        return [Send(encode_message(Close(error, allow_reconnect))), Closed(error)]

    def _record(self, record: bytes, now: float) -> list[Event]:
        if self._state is State.HANDSHAKE:
            return self._handshake(record, now)
        return self._message(parse_message(record))

    def _handshake(self, record: bytes, now: float) -> list[Event]:
        request = parse_handshake(record)
        if request.protocol != _PROTOCOL:
            return self.close(f"The protocol '{request.protocol}' is not supported.")
        if request.version != _VERSION:
            return self.close(
                f"Version {request.version} of the protocol '{_PROTOCOL}' is not supported."
            )
        self._state = State.OPEN
        self._next_ping = now + self._timing.keep_alive
        return [Send(encode_message(HandshakeResponse())), Opened()]

    def _message(self, message: Message | None) -> list[Event]:
        match message:
            case Invocation() | StreamInvocation():
                return [Invoked(message)]
            case Close():
                self._state = State.CLOSED
                return [Closed(message.error)]
            case _:
                return []
