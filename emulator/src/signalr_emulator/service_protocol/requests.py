"""What a server asks the service, which answers with an `Ack`."""

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
from .table import Message, row

__all__ = [
    "CheckConnectionExistenceWithAck", "CheckGroupExistenceWithAck",
    "CheckUserExistenceWithAck", "CheckUserInGroupWithAck", "CloseConnectionWithAck",
    "CloseConnectionsWithAck", "CloseGroupConnectionsWithAck", "CloseUserConnectionsWithAck",
    "GetConnectionClaims", "GroupMemberQuery", "JoinGroupWithAck", "LeaveGroupWithAck",
    "RefreshAuth", "UserJoinGroupWithAck", "UserLeaveGroupWithAck",
]  # fmt: skip


@row(18, lengths=(4, 5))
class JoinGroupWithAck(Message):
    """Put a connection into a group."""

    connection_id: Text
    group: Text
    ack_id: Int
    tracing_id: TracingId = None


@row(19, lengths=(4, 5))
class LeaveGroupWithAck(Message):
    """Take a connection out of a group; no group means all of them."""

    connection_id: Text
    group: OptionalText
    ack_id: Int
    tracing_id: TracingId = None


@row(21, lengths=(4, 5))
class CheckUserInGroupWithAck(Message):
    """Ask whether a user is in a group."""

    user_id: Text
    group: Text
    ack_id: Int
    tracing_id: TracingId = None


@row(23)
class CheckGroupExistenceWithAck(Message):
    """Ask whether a group has a connection."""

    group: Text
    ack_id: Int
    tracing_id: TracingId = None


@row(24)
class CheckConnectionExistenceWithAck(Message):
    """Ask whether there is a connection."""

    connection_id: Text
    ack_id: Int
    tracing_id: TracingId = None


@row(25)
class CheckUserExistenceWithAck(Message):
    """Ask whether a user has a connection."""

    user_id: Text
    ack_id: Int
    tracing_id: TracingId = None


@row(26)
class UserJoinGroupWithAck(Message):
    """Put a user into a group."""

    user_id: Text
    group: Text
    ack_id: Int
    tracing_id: TracingId = None
    ttl: Ttl = None


@row(27)
class UserLeaveGroupWithAck(Message):
    """Take a user out of a group; no group means all of them."""

    user_id: Text
    group: OptionalText
    ack_id: Int
    tracing_id: TracingId = None


@row(30, lengths=(4, 5))
class CloseConnectionWithAck(Message):
    """Close a connection. Obsolete: SDKs write a `CloseConnection`."""

    connection_id: Text
    reason: OptionalText
    ack_id: Int
    tracing_id: TracingId = None


@row(31, lengths=(4, 5))
class CloseConnectionsWithAck(Message):
    """Close all connections."""

    reason: OptionalText
    ack_id: Int
    excluded: Texts
    tracing_id: TracingId = None


@row(32, lengths=(5, 6))
class CloseUserConnectionsWithAck(Message):
    """Close a user's connections."""

    user_id: Text
    reason: OptionalText
    ack_id: Int
    excluded: Texts
    tracing_id: TracingId = None


@row(33, lengths=(5, 6))
class CloseGroupConnectionsWithAck(Message):
    """Close a group's connections."""

    group: Text
    reason: OptionalText
    ack_id: Int
    excluded: Texts
    tracing_id: TracingId = None


@row(40, extensions_at=1, lengths=(6, 7))
class GroupMemberQuery(Message):
    """Ask for a page of a group's members."""

    group: Text
    ack_id: Int
    top: OptionalInt
    continuation_token: OptionalText
    max_page_size: OptionalInt = None
    tracing_id: TracingId = None


@row(41)
class RefreshAuth(Message):
    """Renew the authentication of a client's connection; no claims means that they stay."""

    connection_token: Secret
    claims: Claims
    expires: Time
    ack_id: Int


@row(42)
class GetConnectionClaims(Message):
    """Ask for the claims of a client's connection."""

    connection_token: Secret
    ack_id: Int
