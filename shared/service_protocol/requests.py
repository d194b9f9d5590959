"""What a server asks the service, to be answered by an `Ack`. `ack_id` is given by `acks`."""

from .fields import (
    Claims,
    Int,
    OptionalInt,
    OptionalText,
    Secret,
    Text,
    Texts,
    Time,
    TracingId,
    Ttl,
)
from .messages import Message

__all__ = [
    "AckRequest", "CheckConnectionExistenceWithAck", "CheckGroupExistenceWithAck",
    "CheckUserExistenceWithAck", "CheckUserInGroupWithAck", "CloseConnectionWithAck",
    "CloseConnectionsWithAck", "CloseGroupConnectionsWithAck", "CloseUserConnectionsWithAck",
    "GetConnectionClaims", "GroupMemberQuery", "JoinGroupWithAck", "LeaveGroupWithAck",
    "RefreshAuth", "UserJoinGroupWithAck", "UserLeaveGroupWithAck",
]  # fmt: skip


class JoinGroupWithAck(Message, tag=18):
    """Put a connection into a group."""

    lengths = (4, 5)
    connection_id: Text
    group: Text
    ack_id: Int = 0
    tracing_id: TracingId = None


class LeaveGroupWithAck(Message, tag=19):
    """Take a connection out of a group; no group means all of them."""

    lengths = (4, 5)
    connection_id: Text
    group: OptionalText
    ack_id: Int = 0
    tracing_id: TracingId = None


class CheckUserInGroupWithAck(Message, tag=21):
    """Ask whether a user is in a group."""

    lengths = (4, 5)
    user_id: Text
    group: Text
    ack_id: Int = 0
    tracing_id: TracingId = None


class CheckGroupExistenceWithAck(Message, tag=23):
    """Ask whether a group has a connection."""

    group: Text
    ack_id: Int = 0
    tracing_id: TracingId = None


class CheckConnectionExistenceWithAck(Message, tag=24):
    """Ask whether there is a connection."""

    connection_id: Text
    ack_id: Int = 0
    tracing_id: TracingId = None


class CheckUserExistenceWithAck(Message, tag=25):
    """Ask whether a user has a connection."""

    user_id: Text
    ack_id: Int = 0
    tracing_id: TracingId = None


class UserJoinGroupWithAck(Message, tag=26):
    """Put a user into a group."""

    user_id: Text
    group: Text
    ack_id: Int = 0
    tracing_id: TracingId = None
    ttl: Ttl = None


class UserLeaveGroupWithAck(Message, tag=27):
    """Take a user out of a group; no group means all of them."""

    user_id: Text
    group: OptionalText
    ack_id: Int = 0
    tracing_id: TracingId = None


class CloseConnectionWithAck(Message, tag=30):
    """Close a connection. Obsolete: SDKs write a `CloseConnection`."""

    lengths = (4, 5)
    connection_id: Text
    reason: OptionalText = None
    ack_id: Int = 0
    tracing_id: TracingId = None


class CloseConnectionsWithAck(Message, tag=31):
    """Close all connections."""

    lengths = (4, 5)
    reason: OptionalText = None
    ack_id: Int = 0
    excluded: Texts = ()
    tracing_id: TracingId = None


class CloseUserConnectionsWithAck(Message, tag=32):
    """Close a user's connections."""

    lengths = (5, 6)
    user_id: Text
    reason: OptionalText = None
    ack_id: Int = 0
    excluded: Texts = ()
    tracing_id: TracingId = None


class CloseGroupConnectionsWithAck(Message, tag=33):
    """Close a group's connections."""

    lengths = (5, 6)
    group: Text
    reason: OptionalText = None
    ack_id: Int = 0
    excluded: Texts = ()
    tracing_id: TracingId = None


class GroupMemberQuery(Message, tag=40):
    """Ask for a page of a group's members."""

    extensions_at = 1
    lengths = (6, 7)
    group: Text
    ack_id: Int = 0
    top: OptionalInt = None
    continuation_token: OptionalText = None
    max_page_size: OptionalInt = None
    tracing_id: TracingId = None


class RefreshAuth(Message, tag=41):
    """Renew the authentication of a client's connection; no claims means that they stay."""

    connection_token: Secret
    claims: Claims
    expires: Time
    ack_id: Int = 0


class GetConnectionClaims(Message, tag=42):
    """Ask for the claims of a client's connection."""

    connection_token: Secret
    ack_id: Int = 0


type AckRequest = (
    JoinGroupWithAck
    | LeaveGroupWithAck
    | CheckUserInGroupWithAck
    | CheckGroupExistenceWithAck
    | CheckConnectionExistenceWithAck
    | CheckUserExistenceWithAck
    | UserJoinGroupWithAck
    | UserLeaveGroupWithAck
    | CloseConnectionWithAck
    | CloseConnectionsWithAck
    | CloseUserConnectionsWithAck
    | CloseGroupConnectionsWithAck
    | GroupMemberQuery
    | RefreshAuth
    | GetConnectionClaims
)
