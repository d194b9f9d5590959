"""A server connection that is open: what it carries, and how it is written to."""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Protocol

from ..service_protocol.codec import write
from ..service_protocol.messages import ConnectionData, ConnectionKind
from ..service_protocol.table import Message

__all__ = ["Carried", "ServerConnection", "Socket"]


class Socket(Protocol):
    """Where a server connection is written to."""

    @property
    def has_room(self) -> bool:
        """Whether little enough waits to be sent."""

    def write(self, data: bytes) -> None:
        """Send without waiting; after the end of the socket, drop."""

    def room(self) -> Awaitable[None]:
        """Wait until there is room, or until the socket has ended."""

    def close(self) -> None:
        """Close the socket after what was sent."""

    def abort(self) -> None:
        """Cut the socket now."""


class Carried(Protocol):
    """A client that a server connection carries."""

    @property
    def connection_id(self) -> str:
        """Id that is unique within the service."""

    def from_server(self, data: ConnectionData) -> None:
        """Take bytes of its app server."""

    def closed_by_server(self) -> None:
        """Take note that its app server has ended it."""

    def disconnect(self, error: str | None, *, allow_reconnect: bool) -> None:
        """End its connection, and tell it why."""

    def server_lost(self) -> None:
        """Take note that its app server is gone."""

    def service_lost(self) -> None:
        """Take note that the instance of the service is gone which has it."""

    def move(self, to: "ServerConnection") -> None:
        """Go on with another app server."""


@dataclass(slots=True, eq=False)
class ServerConnection:
    """One server connection from its handshake to its end.

    Attributes:
        connection_id: What the service calls it.
        server_id: Which process it comes from; its other connections have the same.
        hub: Name of the hub, in lower case.
        socket: Where it is written to.
        kind: What it is for; its handshake says so.
        migration_level: When its clients may move to another server: 0 never, 1 when it shuts
            down, 2 whenever it ends.
        allows_stateful_reconnect: Whether its hub allows stateful reconnect.
        clients: What it carries, by connection id.
        is_leaving: Whether it takes no more clients, since its server shuts down.
    """

    connection_id: str
    server_id: str
    hub: str
    socket: Socket
    kind: ConnectionKind = ConnectionKind.WEAK
    migration_level: int = 0
    allows_stateful_reconnect: bool = False
    clients: dict[str, Carried] = field(default_factory=dict)
    is_leaving: bool = False

    @property
    def takes_clients(self) -> bool:
        """Whether a client may be given to it."""
        return self.kind is not ConnectionKind.WEAK and not self.is_leaving

    def send(self, message: Message) -> None:
        """Send a message without waiting."""
        self.socket.write(write(message))
