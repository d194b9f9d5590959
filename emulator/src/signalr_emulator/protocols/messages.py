"""The messages of the SignalR hub protocol, however they are written.

The values that they carry are JSON text, so that a client of JSON gets them as they were sent.

Source: HubProtocol.md of dotnet/aspnetcore.
"""

from dataclasses import dataclass, field
from enum import IntEnum

from ..documents.verbatim import JsonText

__all__ = [
    "MAX_RECORD_BYTES",
    "Ack",
    "CancelInvocation",
    "Close",
    "Completion",
    "Envelope",
    "Invocation",
    "Message",
    "MessageType",
    "Numbered",
    "Ping",
    "Received",
    "ReceivedInvocation",
    "ReceivedStreamItem",
    "Sequence",
    "StreamInvocation",
    "StreamItem",
]

MAX_RECORD_BYTES = 16 * 1024 * 1024
"""The longest message that a client may send by WebSocket, in bytes."""


class MessageType(IntEnum):
    """The `type` of a message. Acks and sequences belong to stateful reconnect."""

    INVOCATION = 1
    STREAM_ITEM = 2
    COMPLETION = 3
    STREAM_INVOCATION = 4
    CANCEL_INVOCATION = 5
    PING = 6
    CLOSE = 7
    ACK = 8
    SEQUENCE = 9


@dataclass(frozen=True, slots=True)
class Invocation:
    """Calls a method; without an `invocation_id` no completion is expected.

    The arguments are an array.
    """

    target: str
    arguments: JsonText
    invocation_id: str | None = None


@dataclass(frozen=True, slots=True)
class StreamInvocation:
    """Calls a method that answers with a stream of items. The arguments are an array."""

    invocation_id: str
    target: str
    arguments: JsonText


@dataclass(frozen=True, slots=True)
class ReceivedInvocation:
    """An invocation or, if `is_stream` is set, a stream invocation, without its arguments."""

    target: str
    invocation_id: str | None = None
    is_stream: bool = False


@dataclass(frozen=True, slots=True)
class StreamItem:
    """One item of a stream."""

    invocation_id: str
    item: JsonText


@dataclass(frozen=True, slots=True)
class ReceivedStreamItem:
    """An item of a stream that a client uploads, without its value."""

    invocation_id: str


@dataclass(frozen=True, slots=True)
class Completion:
    """Ends an invocation with nothing, a result or an error, never with both of these.

    The result `null` is one too. A completion of a client has its `record` as well: the message as
    it came, without its framing.
    """

    invocation_id: str
    result: JsonText | None = None
    error: str | None = None
    record: bytes = field(default=b"", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class CancelInvocation:
    """Asks the other side to stop a stream."""

    invocation_id: str


@dataclass(frozen=True, slots=True)
class Ping:
    """Says that the sender is alive; it is not answered."""


@dataclass(frozen=True, slots=True)
class Close:
    """Ends the connection; the client tries again only if `allow_reconnect` is set."""

    error: str | None = None
    allow_reconnect: bool = False


@dataclass(frozen=True, slots=True)
class Ack:
    """Says that every message up to this one has arrived."""

    sequence_id: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """Says, after a reconnection, which number the next message of the sender has."""

    sequence_id: int


type Numbered = Invocation | StreamInvocation | StreamItem | Completion | CancelInvocation
"""The messages that stateful reconnect counts and sends again."""

type Message = Numbered | Ping | Close | Ack | Sequence

type Received = (
    ReceivedInvocation
    | ReceivedStreamItem
    | Completion
    | CancelInvocation
    | Ping
    | Close
    | Ack
    | Sequence
)
"""A message of a client: what belongs to the app stays in its record, unread."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is read of a message that stays as it is written: everything but its values.

    Attributes:
        kind: Its `type`.
        invocation_id: What it belongs to, or None.
        target: What an invocation calls; None for other types.
    """

    kind: MessageType
    invocation_id: str | None
    target: str | None
