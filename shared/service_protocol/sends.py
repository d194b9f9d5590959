"""What a server sends to clients, or does for them, and no answer comes.

What is written may not arrive: the protocol has no receipt for it.
"""

from .fields import Filter, OptionalText, Payloads, Text, Texts, TracingId, Ttl
from .messages import Message

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


class MultiConnectionData(Message, tag=7):
    """To the service: a message to some connections."""

    lengths = (3, 4)
    connection_ids: Texts
    payloads: Payloads
    tracing_id: TracingId = None
    subscriber_filter: Filter = None


class UserData(Message, tag=8):
    """To the service: a message to a user."""

    lengths = (3, 4)
    user_id: Text
    payloads: Payloads
    tracing_id: TracingId = None
    subscriber_filter: Filter = None


class MultiUserData(Message, tag=9):
    """To the service: a message to some users."""

    lengths = (3, 4)
    user_ids: Texts
    payloads: Payloads
    tracing_id: TracingId = None
    subscriber_filter: Filter = None


class BroadcastData(Message, tag=10):
    """To the service: a message to all."""

    lengths = (3, 4)
    excluded: Texts
    payloads: Payloads
    tracing_id: TracingId = None
    subscriber_filter: Filter = None


class JoinGroup(Message, tag=11):
    """To the service."""

    lengths = (3, 4)
    connection_id: Text
    group: Text
    tracing_id: TracingId = None


class LeaveGroup(Message, tag=12):
    """To the service; no group means all of them."""

    lengths = (3, 4)
    connection_id: Text
    group: OptionalText
    tracing_id: TracingId = None


class GroupBroadcastData(Message, tag=13):
    """To the service: a message to a group."""

    extensions_at = 4
    lengths = (4, 5, 7)
    group: Text
    excluded: Texts
    payloads: Payloads
    excluded_users: Texts = ()
    caller_user_id: OptionalText = None
    tracing_id: TracingId = None
    subscriber_filter: Filter = None


class MultiGroupBroadcastData(Message, tag=14):
    """To the service: a message to some groups."""

    lengths = (3, 4)
    groups: Texts
    payloads: Payloads
    tracing_id: TracingId = None
    subscriber_filter: Filter = None


class UserJoinGroup(Message, tag=16):
    """To the service."""

    lengths = (3, 4)
    user_id: Text
    group: Text
    tracing_id: TracingId = None
    ttl: Ttl = None


class UserLeaveGroup(Message, tag=17):
    """To the service; no group means all of them."""

    lengths = (3, 4)
    user_id: Text
    group: OptionalText
    tracing_id: TracingId = None
