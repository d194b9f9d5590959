"""What the ends of a server connection say to each other.

Each class is a row of the protocol: its tag is the message's number, its fields are the items of
the message's array in turn, and those that are extensions stand in the map `extensions_at`. The
code that reads and writes them (`codec`) knows no message by itself.

Source: Azure/azure-signalr, specs/ServiceProtocol.md; what that leaves open, as
Microsoft.Azure.SignalR.Protocols 1.34.0 writes and reads it.
"""

from enum import IntEnum
from typing import ClassVar, get_args

from msgspec import Struct
from msgspec.structs import fields

from .fields import (
    Binary,
    Claims,
    DataType,
    DoubleProtocol,
    FlowTarget,
    FlowVerb,
    Headers,
    Int,
    IsPartial,
    Item,
    LooseText,
    OptionalBinary,
    OptionalSecret,
    OptionalText,
    Payloads,
    Protocol,
    Rest,
    Switch,
    Target,
    Text,
    TracingId,
)

__all__ = [
    "AccessKeyRequest",
    "AccessKeyResponse",
    "Ack",
    "ClientCompletion",
    "ClientInvocation",
    "CloseConnection",
    "ConnectionData",
    "ConnectionFlowControl",
    "ConnectionKind",
    "ConnectionReconnect",
    "ErrorCompletion",
    "EventKind",
    "HandshakeRequest",
    "HandshakeResponse",
    "Message",
    "OpenConnection",
    "Ping",
    "ServiceError",
    "ServiceEvent",
    "ServiceMapping",
    "UpdateConnectionClaims",
]


class Message(Struct):
    """What one end of a server connection says to the other."""

    extensions_at: ClassVar[int | None] = -1
    """Which item the map of extensions is; -1 is the last one, `None` if there is none."""

    lengths: ClassVar[tuple[int, ...]] = ()
    """How many items there may be, since older peers write less; empty: all of them. An array of
    another length is read as the next shorter one."""

    def __repr__(self) -> str:
        """Show what may be in a log: no token, no claim, and nothing that users wrote."""
        shown = (
            f"{each.name}={getattr(self, each.name)!r}"
            for each in fields(self)
            if not any(isinstance(kind, Item) and kind.secret for kind in get_args(each.type))
        )
        return f"{type(self).__name__}({', '.join(shown)})"


class ConnectionKind(IntEnum):
    """What a server connection is for."""

    DEFAULT = 0
    ON_DEMAND = 1
    WEAK = 2
    """Sends, and carries no clients."""


class EventKind(IntEnum):
    """What a `ServiceEvent` is about."""

    RELOADING = 0
    INVALID = 1
    NOT_EXISTED = 2
    BUFFER_FULL = 3


class HandshakeRequest(Message, tag=1):
    """To the service, as the first."""

    extensions_at = 5
    lengths = (2, 4, 5, 6, 7)
    version: Int
    connection_type: Int = ConnectionKind.DEFAULT
    target: Target = None
    migration_level: Int = 0
    allow_stateful_reconnects: Switch = False


class HandshakeResponse(Message, tag=2):
    """To the server, as the first. An error that is not empty is a refusal."""

    extensions_at = 2
    lengths = (2, 3, 4)
    error: OptionalText
    connection_id: OptionalText = None


class Ping(Message, tag=3):
    """Both ways: a sign of life, or names and values in turn."""

    extensions_at = None
    lengths = (1, 2)
    texts: Rest = ()


class OpenConnection(Message, tag=4):
    """To the server: a client has come."""

    lengths = (3, 5, 6)
    connection_id: Text
    claims: Claims
    headers: Headers = ()
    query: OptionalSecret = ""
    tracing_id: TracingId = None
    protocol: Protocol = None


class CloseConnection(Message, tag=5):
    """Both ways: a client has gone, or shall go."""

    lengths = (3, 4, 5)
    connection_id: Text
    error: LooseText = ""
    headers: Headers = ()
    tracing_id: TracingId = None


class ConnectionData(Message, tag=6):
    """Both ways: bytes of a client's hub protocol."""

    lengths = (3, 4)
    connection_id: Text
    payload: Binary
    tracing_id: TracingId = None
    data_type: DataType = 0
    is_partial: IsPartial = False


class ServiceError(Message, tag=15):
    """To the server: the service is about to close this connection."""

    extensions_at = None
    error: LooseText


class Ack(Message, tag=20):
    """To the server: what became of a request."""

    extensions_at = 4
    lengths = (4, 5, 6)
    ack_id: Int
    status: Int
    message: LooseText = ""
    payload: OptionalBinary = None


class ServiceEvent(Message, tag=22):
    """To the server: something is the matter with what `id` names."""

    object_type: Int
    id: OptionalText
    kind: Int
    message: LooseText = ""


class AccessKeyRequest(Message, tag=28):
    """To the service: a proof by Entra, and the wish for an access key."""

    token: OptionalSecret
    key_id: OptionalText = None


class AccessKeyResponse(Message, tag=29):
    """To the server: an access key, or why there is none."""

    key_id: OptionalText = None
    access_key: OptionalSecret = None
    error_type: OptionalText = None
    error_message: OptionalText = None


class ClientInvocation(Message, tag=34):
    """Both ways: a client is asked for a result."""

    invocation_id: Text
    connection_id: Text
    caller_server_id: Text
    payloads: Payloads
    tracing_id: TracingId = None


class ClientCompletion(Message, tag=35):
    """Both ways: a client's result. The protocol stands in it twice."""

    invocation_id: Text
    connection_id: Text
    caller_server_id: Text
    protocol: DoubleProtocol
    payload: Binary
    tracing_id: TracingId = None


class ErrorCompletion(Message, tag=36):
    """Both ways: why there is no result of a client."""

    invocation_id: Text
    connection_id: Text
    caller_server_id: Text
    error: LooseText
    tracing_id: TracingId = None


class ServiceMapping(Message, tag=37):
    """To the server: which instance of the service has the client that is asked for a result."""

    invocation_id: Text
    connection_id: Text
    instance_id: Text


class ConnectionReconnect(Message, tag=38):
    """To the server: a client with stateful reconnect is back."""

    connection_id: Text


class ConnectionFlowControl(Message, tag=39):
    """Both ways: messages to a client are to stop for a while. Its extensions are never read."""

    lengths = (4,)
    connection_id: Text
    connection_type: FlowTarget
    operation: FlowVerb


class UpdateConnectionClaims(Message, tag=43):
    """To the server: a client's claims are others now."""

    connection_id: Text
    claims: Claims
