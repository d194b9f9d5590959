"""What a server sends to clients, or has done to them, without an answer."""

from .fields import Filter, OptionalText, Payloads, Text, Texts, TracingId, Ttl
from .table import Message, row

__all__ = [
    "BroadcastData",
    "GroupBroadcastData",
    "JoinGroup",
    "LeaveGroup",
    "MultiConnectionData",
    "MultiGroupBroadcastData",
    "MultiUserData",
    "UserData",
    "UserJoinGroup",
    "UserLeaveGroup",
]


@row(7, lengths=(3, 4))
class MultiConnectionData(Message):
    """To the service: a message to some connections."""

    connection_ids: Texts
    payloads: Payloads
    tracing_id: TracingId = None
    subscriber_filter: Filter = None


@row(8, lengths=(3, 4))
class UserData(Message):
    """To the service: a message to a user."""

    user_id: Text
    payloads: Payloads
    tracing_id: TracingId = None
    subscriber_filter: Filter = None


@row(9, lengths=(3, 4))
class MultiUserData(Message):
    """To the service: a message to some users."""

    user_ids: Texts
    payloads: Payloads
    tracing_id: TracingId = None
    subscriber_filter: Filter = None


@row(10, lengths=(3, 4))
class BroadcastData(Message):
    """To the service: a message to all."""

    excluded: Texts
    payloads: Payloads
    tracing_id: TracingId = None
    subscriber_filter: Filter = None


@row(11, lengths=(3, 4))
class JoinGroup(Message):
    """To the service."""

    connection_id: Text
    group: Text
    tracing_id: TracingId = None


@row(12, lengths=(3, 4))
class LeaveGroup(Message):
    """To the service; no group means all of them."""

    connection_id: Text
    group: OptionalText
    tracing_id: TracingId = None


@row(13, extensions_at=4, lengths=(4, 5, 7))
class GroupBroadcastData(Message):
    """To the service: a message to a group."""

    group: Text
    excluded: Texts
    payloads: Payloads
    excluded_users: Texts = ()
    caller_user_id: OptionalText = None
    tracing_id: TracingId = None
    subscriber_filter: Filter = None


@row(14, lengths=(3, 4))
class MultiGroupBroadcastData(Message):
    """To the service: a message to some groups."""

    groups: Texts
    payloads: Payloads
    tracing_id: TracingId = None
    subscriber_filter: Filter = None


@row(16, lengths=(3, 4))
class UserJoinGroup(Message):
    """To the service."""

    user_id: Text
    group: Text
    tracing_id: TracingId = None
    ttl: Ttl = None


@row(17, lengths=(3, 4))
class UserLeaveGroup(Message):
    """To the service; no group means all of them."""

    user_id: Text
    group: OptionalText
    tracing_id: TracingId = None
