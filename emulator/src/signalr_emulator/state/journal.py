"""What happened last, for people and tests: requests to the data plane, messages to clients."""

from collections import deque
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from ..documents.json_text import Json
from ..errors import JsonError
from ..protocols.arguments import arguments_of
from ..protocols.supported import JSON, MESSAGEPACK, Written, as_sent
from ..upstream.recent import Recent

__all__ = ["Call", "Journal", "Recipients", "SentMessage"]

_KEPT_CALLS = 100
_KEPT_MESSAGES = 1000
_KEPT_BYTES = 16 * 1024 * 1024
_NAME_BYTES = 64
"""What a name of a recipient takes, roughly."""

_MOST_NAMES = 10
"""Recipients that a person is shown."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the data plane.

    Attributes:
        time: When it came, in epoch seconds of the emulator's clock.
        method: HTTP method.
        path: Path without the query, which can hold a client token.
        status: Status of the answer.
        data_action: What the caller had to be permitted, or None where no permission is needed.
        principal_id: Who called, or None if that was not established.
    """

    time: float
    method: str
    path: str
    status: int
    data_action: str | None = None
    principal_id: str | None = None


@dataclass(frozen=True, slots=True)
class Recipients:
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


@dataclass(frozen=True, slots=True)
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
        size: Bytes of what is kept for that.
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
    size: int = 0

    def arguments(self) -> Json:
        """Give the arguments as JSON values, or None if they have no such form."""
        for protocol in (JSON, MESSAGEPACK):
            with suppress(JsonError):
                if frame := self.written(protocol):
                    return arguments_of(frame, protocol)
        return None


@dataclass(frozen=True, slots=True)
class Journal:
    """The last of each, the newest first.

    Attributes:
        calls: The last hundred requests.
        messages: The last thousand messages, or fewer where they are long.
    """

    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=_KEPT_CALLS))
    messages: Recent[SentMessage] = field(
        default_factory=lambda: Recent(_KEPT_MESSAGES, _KEPT_BYTES)
    )

    def called(self, call: Call) -> None:
        """Keep a request."""
        self.calls.appendleft(call)

    def sent(self, message: SentMessage) -> None:
        """Keep a message."""
        to = message.recipients
        names = len(to.names) + len(to.excluded) + len(to.excluded_users)
        self.messages.add(message, message.size + names * _NAME_BYTES)

    def clear(self) -> None:
        """Forget everything."""
        self.calls.clear()
        self.messages.clear()
