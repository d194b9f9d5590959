"""What the ends of a server connection say to each other, beside `sends` and `requests`.

Each class is a row of the protocol: its fields are the items of the message's array in turn, and
those that are extensions stand in the map of extensions. The code that reads and writes them
(`codec`) knows no message but the ping by itself.

Source: Azure/azure-signalr, specs/ServiceProtocol.md; what that leaves open, as
Microsoft.Azure.SignalR.Protocols 1.34.0 writes and reads it.
"""

from collections.abc import Sequence
from enum import IntEnum

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
    LooseText,
    OptionalBinary,
    OptionalSecret,
    OptionalText,
    Payloads,
    Protocol,
    Switch,
    Target,
    Text,
    TracingId,
)
from .table import Message, row

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
    "OpenConnection",
    "Ping",
    "ServiceError",
    "ServiceEvent",
    "ServiceMapping",
    "UpdateConnectionClaims",
]


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


@row(1, extensions_at=5, lengths=(2, 4, 5, 6, 7))
class HandshakeRequest(Message):
    """To the service, as the first."""

    version: Int
    connection_type: Int = ConnectionKind.DEFAULT
    target: Target = None
    migration_level: Int = 0
    allow_stateful_reconnects: Switch = False


@row(2, extensions_at=2, lengths=(2, 3, 4))
class HandshakeResponse(Message):
    """To the server, as the first. An error that is not empty is a refusal."""

    error: OptionalText
    connection_id: OptionalText = None


@row(3, extensions_at=None)
class Ping(Message):
    """Both ways: a sign of life, or names and values in turn."""

    texts: Sequence[str | None] = ()


@row(4, lengths=(3, 5, 6))
class OpenConnection(Message):
    """To the server: a client has come."""

    connection_id: Text
    claims: Claims
    headers: Headers = ()
    query: OptionalSecret = ""
    tracing_id: TracingId = None
    protocol: Protocol = None


@row(5, lengths=(3, 4, 5))
class CloseConnection(Message):
    """Both ways: a client has gone, or shall go."""

    connection_id: Text
    error: LooseText = ""
    headers: Headers = ()
    tracing_id: TracingId = None


@row(6, lengths=(3, 4))
class ConnectionData(Message):
    """Both ways: bytes of a client's hub protocol."""

    connection_id: Text
    payload: Binary
    tracing_id: TracingId = None
    data_type: DataType = 0
    is_partial: IsPartial = False


@row(15, extensions_at=None)
class ServiceError(Message):
    """To the server: the service is about to close this connection."""

    error: LooseText


@row(20, extensions_at=4, lengths=(4, 5, 6))
class Ack(Message):
    """To the server: what became of a request."""

    ack_id: Int
    status: Int
    message: LooseText = ""
    payload: OptionalBinary = None


@row(22)
class ServiceEvent(Message):
    """To the server: something is the matter with what `id` names."""

    object_type: Int
    id: OptionalText
    kind: Int
    message: LooseText = ""


@row(28)
class AccessKeyRequest(Message):
    """To the service: a proof by Entra, and the wish for an access key."""

    token: OptionalSecret
    key_id: OptionalText = None


@row(29)
class AccessKeyResponse(Message):
    """To the server: an access key, or why there is none."""

    key_id: OptionalText = None
    access_key: OptionalSecret = None
    error_type: OptionalText = None
    error_message: OptionalText = None


@row(34)
class ClientInvocation(Message):
    """Both ways: a client is asked for a result."""

    invocation_id: Text
    connection_id: Text
    caller_server_id: Text
    payloads: Payloads
    tracing_id: TracingId = None


@row(35)
class ClientCompletion(Message):
    """Both ways: a client's result. The protocol stands in it twice."""

    invocation_id: Text
    connection_id: Text
    caller_server_id: Text
    protocol: DoubleProtocol
    payload: Binary
    tracing_id: TracingId = None


@row(36)
class ErrorCompletion(Message):
    """Both ways: why there is no result of a client."""

    invocation_id: Text
    connection_id: Text
    caller_server_id: Text
    error: LooseText
    tracing_id: TracingId = None


@row(37)
class ServiceMapping(Message):
    """To the server: which instance of the service has the client that is asked for a result."""

    invocation_id: Text
    connection_id: Text
    instance_id: Text


@row(38)
class ConnectionReconnect(Message):
    """To the server: a client with stateful reconnect is back."""

    connection_id: Text


@row(39, lengths=(4,))
class ConnectionFlowControl(Message):
    """Both ways: messages to a client are to stop for a while. Its extensions are never read."""

    connection_id: Text
    connection_type: FlowTarget
    operation: FlowVerb


@row(43)
class UpdateConnectionClaims(Message):
    """To the server: a client's claims are others now."""

    connection_id: Text
    claims: Claims
