"""What a client did, as a handler sees it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ...aio import SignalRServiceClient

__all__ = ["Category", "ConnectedEvent", "DisconnectedEvent", "Event", "MessageEvent"]


class Category(Enum):
    """The service's kinds of events."""

    CONNECTIONS = "connections"
    """A client has come or gone."""

    MESSAGES = "messages"
    """A client calls a method of the hub."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a client did.

    Args:
        hub: Name of the hub, in lower case.
        connection_id: Id of the client's connection.
        user_id: Who the client is, or `None` for nobody in particular.
        claims: Values of the claims of the client's token, by their types. The service does not
            escape them, so a value that a user can choose may feign other claims: see
            `upstream.claims`.
        query: Values of the query parameters of the service's address, by their names, without the
            client's tokens (`access_token`, `id`). Those of the app's address end at the redirect.
    """

    hub: str
    connection_id: str
    user_id: str | None = None
    claims: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    query: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    async def join(self, service: SignalRServiceClient, *groups: str) -> None:
        """Add the client's connection to groups, all at once.

        Args:
            service: The service client that the handler is given.
            groups: Names of the groups.

        Raises:
            InvalidArgumentError: A name breaks a rule of the service.
            ConnectionNotFoundError: The client is gone already.
            ServiceError: The service cannot be used.
        """
        await asyncio.gather(
            *(
                service.add_connection_to_group(self.hub, each, self.connection_id)
                for each in groups
            )
        )


class ConnectedEvent(Event):
    """A client has connected, of which there is no more to tell."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DisconnectedEvent(Event):
    """A client is gone.

    Args:
        error: Why, or `None` for an orderly end.
    """

    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEvent(Event):
    """A client calls a method of the hub.

    Args:
        target: Name of the method, as the client wrote it.
        arguments: What it is called with, unchecked, in Python's types for it: numbers with a
            fraction as `float`, times of MessagePack as `datetime`.
    """

    target: str
    arguments: tuple[object, ...] = field(default=(), repr=False)
