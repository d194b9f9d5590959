"""One client connection as a state machine: bytes and the time go in, events come out.

It knows no socket and no clock. Any transport that moves bytes can drive it: hand in what arrives
with `receive`, call `check` when `deadline` has passed, and carry out the events in their order.
"""

import math
from dataclasses import replace
from enum import Enum

from ..errors import ProtocolError
from ..protocols.handshake import STATEFUL_VERSION, Handshake
from ..protocols.json import encode_handshake
from ..protocols.messages import (
    Ack,
    CancelInvocation,
    Close,
    Completion,
    Invocation,
    Message,
    Received,
    ReceivedInvocation,
    ReceivedStreamItem,
    Sequence,
    StreamItem,
)
from ..protocols.supported import JSON, HubProtocol, Reader
from ..transports.timing import Timing
from .connection_events import Answered, Closed, Event, Invoked, Opened, Send
from .resend_buffer import ResendBuffer
from .transport import Traits

__all__ = ["Connection", "State"]

_SENT_WITH_NUMBER = (Invocation, StreamItem, Completion)
_RECEIVED_WITH_NUMBER = (ReceivedInvocation, ReceivedStreamItem, Completion, CancelInvocation)


class State(Enum):
    """How far a connection has come."""

    HANDSHAKE = "handshake"
    """The transport is connected; the client has not said what it speaks."""

    OPEN = "open"
    """Messages flow."""

    SUSPENDED = "suspended"
    """The transport is lost; what is sent waits for another one."""

    CLOSED = "closed"
    """Nothing more is sent, and what arrives is ignored."""


class Connection:
    """The protocol side of one client.

    Args:
        now: Monotonic time at which the transport connected, in seconds.
        timing: Time limits.
        traits: What the transport is able to do.
    """

    def __init__(
        self,
        now: float,
        timing: Timing,
        traits: Traits | None = None,
    ) -> None:
        self._timing = timing
        self._traits = traits or Traits()
        self._state = State.HANDSHAKE
        self._handshake = Handshake(self._traits.transfer_formats)
        self._protocol = JSON
        self._reader = self._new_reader()
        self._resend: ResendBuffer | None = None
        self._handshake_by = now + timing.handshake
        self._reconnect_by = math.inf
        self._last_received = now
        self._pauses = 0
        self._next_ping = now

    @property
    def state(self) -> State:
        """How far the connection has come."""
        return self._state

    @property
    def protocol(self) -> HubProtocol:
        """What the handshake agreed on; JSON until then."""
        return self._protocol

    @property
    def is_stateful(self) -> bool:
        """Whether the connection outlives its transport."""
        return self._resend is not None

    @property
    def deadline(self) -> float:
        """Monotonic time at which `check` has something to do, in seconds."""
        match self._state:
            case State.HANDSHAKE:
                return self._handshake_by
            case State.SUSPENDED:
                return self._reconnect_by
            case _:
                return min(self._next_ping, self._silent_until(), self._ack_at())

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take bytes of the client.

        Args:
            data: Any number of messages or parts of them.
            now: Monotonic time, in seconds.
        """
        events: list[Event] = []
        if self._state in (State.CLOSED, State.SUSPENDED):
            return events
        self._last_received = now
        try:
            if self._state is State.HANDSHAKE:
                data = self._shake_hands(data, now, events)
            if self._state is State.OPEN:
                self._messages(data, now, events)
        except ProtocolError as error:
            # Like ASP.NET Core: what the client sends next may be right.
            events += self.close(str(error), allow_reconnect=True)
        return events

    def pause_reading(self) -> None:
        """Take note that nothing of the client is read, so that its silence means nothing.

        Of two transports, while one takes the other's place, each may pause and resume.
        """
        self._pauses += 1

    def resume_reading(self, now: float) -> None:
        """Take note that the client is read again.

        Args:
            now: Monotonic time, in seconds.
        """
        self._pauses -= 1
        self._last_received = now

    def check(self, now: float) -> list[Event]:
        """Do what the time asks for: a ping, an ack, or the end of a client that is gone."""
        match self._state:
            case State.HANDSHAKE if now >= self._handshake_by:
                limit = f"{self._timing.handshake:g}"
                return self.close(f"The handshake did not come within {limit} seconds.")
            case State.SUSPENDED if now >= self._reconnect_by:
                return self.close("The client did not reconnect in time.")
            case State.OPEN if now >= self._silent_until():
                # A client whose network came back should try again, so this is no error to it.
                return self.close(None, allow_reconnect=True)
            case State.OPEN:
                return self._due(now)
        return []

    def send(self, message: Message) -> list[Event]:
        """Send a message to the client.

        Raises:
            JsonError: A value of the message has no form in the client's protocol.
        """
        record = self._protocol.encode(message)
        return self.relay(record) if isinstance(message, _SENT_WITH_NUMBER) else self._send(record)

    def relay(self, record: bytes) -> list[Event]:
        """Send one message that is written already and counts in stateful reconnect.

        Args:
            record: The message in the client's protocol, with its framing.
        """
        if self._state in (State.HANDSHAKE, State.CLOSED):
            return []
        if self._resend is not None and not self._resend.sent(record):
            return self.close("The client leaves too much unacknowledged.", allow_reconnect=True)
        return self._send(record)

    def close(self, error: str | None, *, allow_reconnect: bool = False) -> list[Event]:
        """End the connection from the service's side.

        Args:
            error: What the client is told, or None.
            allow_reconnect: Whether the client may try again on its own.
        """
        before, self._state = self._state, State.CLOSED
        match before:
            case State.CLOSED:
                return []
            case State.SUSPENDED:
                return [Closed(error)]
            case State.HANDSHAKE:
                reason = error or "The connection was closed."
                return [Send(encode_handshake(reason)), Closed(reason)]
        closing = self._protocol.encode(Close(error, allow_reconnect))
        return [Send(closing, self._protocol.transfer_format), Closed(error)]

    def lose(self, now: float) -> list[Event]:
        """Take note that the transport is gone without a word of the client.

        Args:
            now: Monotonic time, in seconds.
        """
        if self._state is State.SUSPENDED:
            return []
        if self._state is State.OPEN and self._resend is not None:
            self._state = State.SUSPENDED
            self._reconnect_by = now + self._timing.reconnect
            self._resend.lost()
            # What the lost transport has brought of a message does not continue on another one.
            self._reader = self._new_reader()
            return []
        return self.end("The transport was lost.")

    def end(self, error: str | None) -> list[Event]:
        """Take note that the transport is gone for good."""
        if self._state is State.CLOSED:
            return []
        self._state = State.CLOSED
        return [Closed(error)]

    def resume(self, now: float) -> list[Event]:
        """Go on over another transport, after `lose`.

        Args:
            now: Monotonic time, in seconds.
        """
        if self._state is not State.SUSPENDED or self._resend is None:
            return []
        self._state = State.OPEN
        self._last_received = now
        self._next_ping = now + self._timing.keep_alive
        sequence_id, records = self._resend.resume()
        events = self._send(self._protocol.encode(Sequence(sequence_id)))
        for record in records:
            events += self._send(record)
        return events

    def _new_reader(self) -> Reader:
        return self._protocol.reader(self._traits.max_record)

    def _silent_until(self) -> float:
        if self._traits.keeps_itself_alive or self._pauses:
            return math.inf
        return self._last_received + self._timing.client_timeout

    def _ack_at(self) -> float:
        return math.inf if self._resend is None else self._resend.ack_at

    def _due(self, now: float) -> list[Event]:
        events: list[Event] = []
        if self._resend is not None and now >= self._resend.ack_at:
            events += self._send(self._protocol.encode(Ack(self._resend.ack())))
        if now >= self._next_ping:
            self._next_ping = now + self._timing.keep_alive
            events += self._send(self._protocol.ping)
        return events

    def _send(self, record: bytes) -> list[Event]:
        if self._state is not State.OPEN:
            return []
        return [Send(record, self._protocol.transfer_format)]

    def _shake_hands(self, data: bytes, now: float, events: list[Event]) -> bytes:
        """Take the handshake if it is complete, and give what comes after it."""
        agreed = self._handshake.feed(data)
        if agreed is None:
            return b""
        if self._traits.is_stateful and agreed.version == STATEFUL_VERSION:
            self._resend = ResendBuffer(self._traits.max_unacknowledged)
        self._open(agreed.protocol, now)
        events += [Send(encode_handshake(None), agreed.protocol.transfer_format), Opened()]
        return agreed.rest

    def _open(self, protocol: HubProtocol, now: float) -> None:
        self._state = State.OPEN
        self._protocol = protocol
        self._reader = self._new_reader()
        self._next_ping = now + self._timing.keep_alive

    def _messages(self, data: bytes, now: float, events: list[Event]) -> None:
        for record in self._reader.feed(data):
            if self._state is not State.OPEN:
                return
            message = self._protocol.parse(record)
            if (
                self._resend is not None
                and isinstance(message, _RECEIVED_WITH_NUMBER)
                and not self._resend.is_new(now)
            ):
                continue
            events += self._message(message, record)

    def _message(self, message: Received | None, record: bytes) -> list[Event]:
        match message:
            case ReceivedInvocation():
                return [Invoked(message, record)]
            case Completion():
                return [Answered(replace(message, record=record))]
            case Close():
                return self.end(message.error)
            case Ack() if self._resend is not None:
                self._resend.acked(message.sequence_id)
            case Sequence() if self._resend is not None:
                self._resend.sequence(message.sequence_id)
        return []
