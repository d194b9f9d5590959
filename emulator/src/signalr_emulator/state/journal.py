"""What happened last, for people and tests: requests, messages to clients, calls of upstreams."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from ..access_control.roles import RoleAssignment
from ..documents.json_text import Json
from ..errors import JsonError
from ..protocols.arguments import arguments_of
from ..protocols.supported import JSON, MESSAGEPACK, Written, as_sent
from ..service_protocol.table import Message
from ..upstream.recent import Recent
from ..upstream.sender import UpstreamCall

__all__ = [
    "Happening",
    "Journal",
    "Recipients",
    "Refusal",
    "Request",
    "SentMessage",
    "ServerRequest",
]

_KEPT_HAPPENINGS = 2000
_KEPT_MESSAGES = 1000
_KEPT_BYTES = 16 * 1024 * 1024
_VALUE_BYTES = 64
"""What a text or a number takes beside its characters, roughly."""

_MOST_NAMES = 10
"""Recipients that a person is shown."""


class Recipients(NamedTuple):
    """Whom a message is for, as its sender says.

    Attributes:
        kind: `all` of a hub, `user`, `group`, `connection`, or those of a `filter`.
        names: The users, groups or connection ids, or the filter; nothing for all.
        excluded: Connection ids that are left out.
        excluded_users: Users that are left out.
    """

    kind: str
    names: Sequence[str] = ()
    excluded: Collection[str] = ()
    excluded_users: Collection[str] = ()

    def __str__(self) -> str:
        """Say it as a person would."""
        if self.kind == "all":
            return "everyone"
        if len(self.names) == 1:
            return f"{self.kind} {self.names[0]}"
        more = ", …" if len(self.names) > _MOST_NAMES else ""
        return f"{self.kind}s {', '.join(self.names[:_MOST_NAMES])}{more}"


@dataclass(slots=True)  # made for each request, and a frozen one takes twice as long
class SentMessage:
    """One message that was sent to clients.

    Attributes:
        time: When it was sent, in epoch seconds of the emulator's clock.
        resource: Name of the SignalR resource.
        sender: How it came: by `rest`, or by a connection of an app `server`.
        hub: Name of the hub.
        recipients: Whom it was for.
        target: Name of the clients' handler.
        connections: To how many connections it went.
        unserved: How many more it would have gone to, had it been written in their hub protocol.
        tracing_id: Its name in the service's messaging logs, as the sender says; or None.
        written: Gives it in a hub protocol, so that nobody reads arguments which nobody asks for.
        written_size: Bytes of what is kept for that.
        size: Bytes of all that is kept of it, roughly.
    """

    time: float
    resource: str
    sender: str
    hub: str
    recipients: Recipients
    target: str
    connections: int
    unserved: int = 0
    tracing_id: str | None = None
    written: Written = field(default=as_sent({}), repr=False)
    written_size: int = 0
    size: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Count it once, since it is kept both as a message and with its request."""
        size = self.written_size + _VALUE_BYTES
        to = self.recipients
        for names in (to.names, to.excluded, to.excluded_users):
            for name in names:
                size += _VALUE_BYTES + len(name)
        self.size = size

    def arguments(self) -> Json:
        """Give the arguments as JSON values, or None if they have no such form."""
        for protocol in (JSON, MESSAGEPACK):
            with suppress(JsonError):
                if frame := self.written(protocol):
                    return arguments_of(frame, protocol)
        return None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a request was refused for, beside the text of its answer.

    Attributes:
        token: What its token says, of which nothing is proven; None if that does not matter.
        ahead: How far the emulator's clock was ahead of real time, in seconds.
        roles: The assignments of the caller: name of the role, scope, and why it does not help.
    """

    token: Mapping[str, Json] | None = None
    ahead: float = 0.0
    roles: tuple[tuple[str, str, str], ...] = ()


@dataclass(slots=True)  # made for each request, and a frozen one takes twice as long
class Request:
    """One request to the data plane: what is known of it so far, or all once it is answered.

    Attributes:
        time: When it was answered, in epoch seconds of the emulator's clock.
        resource: Name of the SignalR resource.
        method: HTTP method.
        path: Path without the query.
        status: Status of the answer.
        query: The query of a REST request; empty for clients, whose query can hold a token.
        operation: Name of the operation, or None for what is none.
        hub: Name of the hub, as it was called, or None.
        data_action: What the caller had to be permitted, or None where no permission is needed.
        principal_id: Who called, or None if that was not established.
        allowed_by: The role assignment that gave the permission, or None.
        content_type: Media type of the body.
        body: What was sent, or the start of it.
        body_size: How long that was, in bytes.
        answer: What was answered, or the start of it; empty where it is a secret.
        refusal: Why it was refused, where the answer does not tell all of it.
        is_disturbed: Whether a fault had a hand in it.
        messages: What it sent to clients.
    """

    time: float = 0.0
    resource: str = ""
    method: str = ""
    path: str = ""
    status: int = 0
    query: str = field(default="", repr=False)
    operation: str | None = None
    hub: str | None = None
    data_action: str | None = None
    principal_id: str | None = None
    allowed_by: RoleAssignment | None = None
    content_type: str | None = None
    body: bytes = field(default=b"", repr=False)
    body_size: int = 0
    answer: bytes = field(default=b"", repr=False)
    refusal: Refusal | None = None
    is_disturbed: bool = False
    messages: list[SentMessage] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of what is kept of it."""
        size = len(self.body) + len(self.answer)
        for message in self.messages:
            size += message.size
        return size


@dataclass(frozen=True, slots=True)
class ServerRequest:
    """What an app server asked for over its connection, other than to send.

    Attributes:
        time: When, in epoch seconds of the emulator's clock.
        resource: Name of the SignalR resource.
        hub: Name of the hub.
        server_id: The app server.
        connection_id: Its connection.
        message: What it said, whose `repr` has nothing secret.
        error: Why it was not carried out, or None.
    """

    time: float
    resource: str
    hub: str
    server_id: str
    connection_id: str
    message: Message = field(repr=False)
    error: str | None

    @property
    def size(self) -> int:
        """Bytes of what is kept of it, roughly."""
        names: tuple[str, ...] = self.message.__slots__
        return _size([getattr(self.message, name) for name in names])


type Happening = Request | SentMessage | ServerRequest | UpstreamCall
"""What has a row of its own in the timeline."""


class Journal:
    """The last of what happened.

    Attributes:
        messages: The last thousand messages, or fewer where they are long, the newest first.
        timeline: What happened last, each with its number, which is never given again; the newest
            first. A message that a REST request sent is in its request.
    """

    def __init__(self) -> None:
        self.messages: Recent[SentMessage] = Recent(_KEPT_MESSAGES, _KEPT_BYTES)
        self.timeline: Recent[tuple[int, Happening]] = Recent(_KEPT_HAPPENINGS, _KEPT_BYTES)
        self._next = 1

    def happened(self, happening: Happening) -> None:
        """Give something a row in the timeline."""
        self.timeline.add((self._next, happening), happening.size)
        self._next += 1

    def sent(self, message: SentMessage) -> None:
        """Keep a message."""
        self.messages.add(message, message.size)

    def find(self, number: int) -> Happening | None:
        """Give what has a number in the timeline, or None if it is forgotten."""
        return next((each for given, each in self.timeline if given == number), None)

    @property
    def oldest(self) -> int:
        """The number of the oldest that is in the timeline, or of the next one."""
        return self._next - len(self.timeline)

    def clear(self) -> None:
        """Forget everything."""
        self.timeline.clear()
        self.messages.clear()


def _size(value: object) -> int:
    """Give the bytes that a value takes, roughly."""
    if isinstance(value, str | bytes):
        return _VALUE_BYTES + len(value)
    if isinstance(value, list | tuple):
        return _VALUE_BYTES + sum(map(_size, value))
    return _VALUE_BYTES
