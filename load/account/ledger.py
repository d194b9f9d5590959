"""What was sent and what arrived, as the clients and senders of a run have seen it.

All times are seconds of one monotonic clock.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import NamedTuple

__all__ = ["EVERYONE", "Audience", "Connection", "Kind", "Ledger", "Membership", "Message"]


class Kind(Enum):
    """Whom a message is for."""

    EVERYONE = "everyone"
    USER = "user"
    GROUP = "group"
    CONNECTION = "connection"


class Audience(NamedTuple):
    """Whom a message is for.

    Args:
        kind: What `name` is the name of.
        name: Name of the user or group, or id of the connection; empty for everyone.
    """

    kind: Kind
    name: str = ""


EVERYONE = Audience(Kind.EVERYONE)


@dataclass(slots=True)
class Message:
    """A message that was sent.

    Args:
        number: Its own number, which it carries.
        audience: Whom it is for.
        sent_at: When the sender asked for it.
        request: What the messages of one list have in common.
        index: Its place in that list.
        excluded: Ids of connections that are not to get it.
        settled_at: When the sender was told what became of it; infinite until then.
        accepted: Whether it was told that it is sent.
    """

    number: int
    audience: Audience
    sent_at: float
    request: int = 0
    index: int = 0
    excluded: frozenset[str] = frozenset()
    settled_at: float = inf
    accepted: bool = False

    def settle(self, now: float, *, accepted: bool) -> None:
        """Take note of what the sender was told."""
        self.settled_at, self.accepted = now, accepted


@dataclass(slots=True)
class Membership:
    """One stay in a group, which begins and ends at unknown moments between asking and answer.

    Args:
        group: The group.
        join_asked: When it was asked for.
        joined: When the answer said that it is so; infinite if none did.
        leave_asked: When the end of it was asked for.
        left: When the answer said that it is so.
    """

    group: str
    join_asked: float
    joined: float = inf
    leave_asked: float = inf
    left: float = inf


@dataclass(slots=True)
class Connection:
    """A connection of a client, from its handshake on.

    Args:
        client: Number of the client, which has one connection after another.
        user: Its user.
        connection_id: The service's name for it.
        opened_at: When the handshake was done, so that it is reachable.
        heard_at: When anything came last.
        leaving_at: When the client itself began to leave.
        lost_at: When the client noticed that it had ended without having left.
        memberships: Its stays in groups.
        numbers: The messages that came, in their order.
        times: When each came.
    """

    client: int
    user: str
    connection_id: str
    opened_at: float
    heard_at: float = 0.0
    leaving_at: float = inf
    lost_at: float = inf
    memberships: list[Membership] = field(default_factory=list)
    numbers: array[int] = field(default_factory=lambda: array("q"))
    times: array[float] = field(default_factory=lambda: array("d"))

    def certain_until(self, end: float) -> float:
        """Return until when it was surely there.

        The other side may have ended it before the client noticed or left, so that only the last
        sign of life counts, unless it stayed until everything was over.

        Args:
            end: When everything was over.
        """
        return inf if min(self.leaving_at, self.lost_at) >= end else self.heard_at

    @property
    def is_open(self) -> bool:
        """Whether it has neither left nor been lost."""
        return self.leaving_at == inf and self.lost_at == inf

    def receive(self, number: int, now: float) -> None:
        """Take note of a message."""
        self.numbers.append(number)
        self.times.append(now)


class Ledger:
    """Every message and every connection of a run."""

    def __init__(self) -> None:
        self.messages: dict[int, Message] = {}
        self.connections: list[Connection] = []

    def send(
        self,
        audience: Audience,
        now: float,
        *,
        request: int | None = None,
        index: int = 0,
        excluded: frozenset[str] = frozenset(),
    ) -> Message:
        """Enter a message that is about to be sent; arguments as of `Message`."""
        number = len(self.messages) + 1
        asked = number if request is None else request
        message = Message(number, audience, now, asked, index, excluded)
        self.messages[number] = message
        return message

    def open(self, client: int, user: str, connection_id: str, now: float) -> Connection:
        """Enter a connection; arguments as of `Connection`."""
        connection = Connection(client, user, connection_id, now, now)
        self.connections.append(connection)
        return connection

    def latencies(self) -> Iterator[float]:
        """Give the seconds from sender to client of every delivery."""
        for connection in self.connections:
            for number, at in zip(connection.numbers, connection.times, strict=True):
                message = self.messages.get(number)
                if message is not None:
                    yield at - message.sent_at
