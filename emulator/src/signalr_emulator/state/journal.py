"""What happened last, for people to read: requests to the data plane, messages sent to clients."""

from collections import deque
from dataclasses import dataclass, field

__all__ = ["Call", "Journal", "SentMessage"]

_KEPT = 100


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
class SentMessage:
    """One message that was sent to clients, without its arguments.

    Attributes:
        time: When it was sent, in epoch seconds of the emulator's clock.
        hub: Name of the hub.
        recipient: Whom it was for, as a person would say it.
        target: Name of the clients' handler.
        connections: To how many connections it went.
        unserved: How many more it would have gone to, had it been written in their hub protocol.
        tracing_id: Its name in the service's messaging logs, as the sender says; or None.
    """

    time: float
    hub: str
    recipient: str
    target: str
    connections: int
    unserved: int = 0
    tracing_id: str | None = None


@dataclass(frozen=True, slots=True)
class Journal:
    """The last hundred of each, the newest first."""

    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=_KEPT))
    messages: deque[SentMessage] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def called(self, call: Call) -> None:
        """Keep a request."""
        self.calls.appendleft(call)

    def sent(self, message: SentMessage) -> None:
        """Keep a message."""
        self.messages.appendleft(message)
