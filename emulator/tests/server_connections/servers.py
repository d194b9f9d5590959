"""Server connections whose socket keeps what is written."""

from dataclasses import dataclass, field
from typing import cast

from signalr_emulator.server_connections.live import ServerConnection
from signalr_emulator.service_protocol.codec import message_reader, read
from signalr_emulator.service_protocol.messages import ConnectionData, ConnectionKind
from signalr_emulator.service_protocol.table import Message

__all__ = ["Carried", "Written", "server"]


@dataclass
class Written:
    """A socket that keeps what is written."""

    data: bytearray = field(default_factory=bytearray)
    has_room: bool = True

    @staticmethod
    def of(server: ServerConnection) -> list[Message]:
        """Give what a server has been told."""
        data = bytes(cast("Written", server.socket).data)
        found = [read(body) for body in message_reader().feed(data)]
        return [message for message in found if message is not None]

    def write(self, data: bytes) -> None:
        self.data += data

    async def room(self) -> None:
        """There is room."""

    def close(self) -> None:
        raise NotImplementedError

    def abort(self) -> None:
        raise NotImplementedError


@dataclass(eq=False)
class Carried:
    """A client that notes what becomes of it."""

    connection_id: str
    happened: list[str] = field(default_factory=list)

    def join(self, server: ServerConnection) -> "Carried":
        server.clients[self.connection_id] = self
        return self

    def from_server(self, data: ConnectionData) -> None:
        raise NotImplementedError

    def closed_by_server(self) -> None:
        raise NotImplementedError

    def service_lost(self) -> None:
        raise NotImplementedError

    def disconnect(self, error: str | None, *, allow_reconnect: bool) -> None:
        raise NotImplementedError

    def server_lost(self) -> None:
        self.happened.append("lost")

    def move(self, to: ServerConnection) -> None:
        self.happened.append(f"moved to {to.connection_id}")
        self.join(to)


def server(
    connection_id: str,
    kind: ConnectionKind = ConnectionKind.DEFAULT,
    *,
    server_id: str | None = None,
    hub: str = "chat",
    migration_level: int = 0,
    clients: int = 0,
) -> ServerConnection:
    """Make a server connection with a number of clients."""
    made = ServerConnection(
        connection_id=connection_id,
        server_id=server_id or connection_id,
        hub=hub,
        socket=Written(),
        kind=kind,
        migration_level=migration_level,
    )
    for number in range(clients):
        Carried(f"{connection_id}-{number}").join(made)
    return made
