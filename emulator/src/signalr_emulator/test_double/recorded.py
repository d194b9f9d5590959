"""What the emulator has recorded: messages to clients, and calls of upstreams."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from ..state.journal import Recipients

__all__ = ["Message", "UpstreamCall", "call_text"]

_MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Message:
    """One message that was sent to clients.

    Attributes:
        hub: Name of the hub, in lower case.
        target: Name of the clients' handler.
        arguments: What it gets.
        recipients: Whom it was for: its `kind` (`all`, `user`, `group`, `connection`, `filter`),
            `names`, `excluded` connection ids and `excluded_users`. As a string `user ann`.
        connections: To how many connections it went.
        sender: `rest`, or `server` for a server connection.
        resource: Name of the SignalR resource.
    """

    hub: str
    target: str
    arguments: list[Any]
    recipients: Recipients
    connections: int
    sender: str
    resource: str

    @classmethod
    def of(cls, recorded: Mapping[str, Any]) -> Self:
        """Read one of `GET /emulator/messages`."""
        recipients = recorded["recipients"]
        return cls(
            hub=recorded["hub"],
            target=recorded["target"],
            arguments=recorded["arguments"],
            recipients=Recipients(
                recipients["kind"],
                tuple(recipients["names"]),
                tuple(recipients["excluded"]),
                tuple(recipients["excludedUsers"]),
            ),
            connections=recorded["connections"],
            sender=recorded["sender"],
            resource=recorded["resource"],
        )

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.hub}: {call_text(self.target, self.arguments)} to {self.recipients}"


@dataclass(frozen=True, slots=True)
class UpstreamCall:
    """One request to an upstream, which has ended.

    Attributes:
        hub: Name of the hub, in lower case.
        category: `connections` or `messages`.
        event: `connected`, `disconnected`, or the method that the client has called.
        connection_id: Whose event it was.
        user_id: Who that is, or None.
        arguments: What the client called the method with; None for events of connections.
        status: HTTP status of the answer, or None if there was none.
        error: What went wrong, or None.
        resource: Name of the SignalR resource.
    """

    hub: str
    category: str
    event: str
    connection_id: str
    user_id: str | None
    arguments: list[Any] | None
    status: int | None
    error: str | None
    resource: str

    @classmethod
    def of(cls, recorded: Mapping[str, Any], resource: str) -> Self:
        """Read one of `GET /emulator/upstream`."""
        return cls(
            hub=recorded["hub"],
            category=recorded["category"],
            event=recorded["event"],
            connection_id=recorded["connectionId"],
            user_id=recorded["userId"],
            arguments=recorded["arguments"],
            status=recorded["status"],
            error=recorded["error"],
            resource=resource,
        )

    def __str__(self) -> str:
        """Say it in a line."""
        who = self.user_id or self.connection_id
        what = self.event if self.arguments is None else call_text(self.event, self.arguments)
        return f"{self.hub}: {what} of {who}: {self.error or self.status}"


def call_text(target: str, arguments: Sequence[object] | None) -> str:
    """Write a call as code has it, not longer than a person wants to read."""
    if arguments is None:
        return f"{target}(?)"
    text = ", ".join(json.dumps(each, ensure_ascii=False) for each in arguments)
    more = "…" if len(text) > _MOST_CHARACTERS else ""
    return f"{target}({text[:_MOST_CHARACTERS]}{more})"
