"""Every server connection of a resource, and which of them a client gets.

Source: Microsoft.Azure.SignalR 1.34.0, `ServerStickyMode`: the claims `asrs.s.sn` and
`asrs.s.ssticky` of a client token name the server that has negotiated.
"""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from ..service_protocol.messages import Ping
from .invocations import ClientInvocations
from .live import ServerConnection

__all__ = ["ServerConnections"]

_SERVER: Final = "asrs.s.sn"
_STICKY: Final = "asrs.s.ssticky"
_REQUIRED: Final = "required"
_MIGRATES_ALWAYS: Final = 2
_TARGET: Final = "target"
_OFFLINE: Final = "offline"


class ServerConnections:
    """The server connections of one resource.

    Attributes:
        instance_id: What this instance of the service is called.
        invocations: Who waits for results of clients.
    """

    def __init__(self) -> None:
        self.instance_id = secrets.token_hex(8)
        self.invocations = ClientInvocations()
        self._by_hub: dict[str, dict[str, ServerConnection]] = {}

    def find(self, hub: str, connection_id: str) -> ServerConnection | None:
        """Give the connection with an id, or None."""
        return self._by_hub.get(hub, {}).get(connection_id)

    def of_hub(self, hub: str) -> list[ServerConnection]:
        """Give the connections of a hub, the oldest first."""
        return list(self._by_hub.get(hub, {}).values())

    def all(self) -> list[ServerConnection]:
        """Give every connection, by hub and in the order in which they came."""
        return [each for _, found in sorted(self._by_hub.items()) for each in found.values()]

    def counts(self) -> dict[str, int]:
        """Give how many connections each hub has that has any."""
        return {hub: len(found) for hub, found in sorted(self._by_hub.items())}

    def add(self, server: ServerConnection) -> None:
        """Take in a connection whose handshake is done."""
        self._by_hub.setdefault(server.hub, {})[server.connection_id] = server

    def remove(self, server: ServerConnection) -> None:
        """Forget a connection that has ended: its clients move if they may, or end with it.

        One that is not there is no error, even if another has its id by now.
        """
        if self.find(server.hub, server.connection_id) is not server:
            return
        found = self._by_hub[server.hub]
        del found[server.connection_id]
        if not found:
            del self._by_hub[server.hub]
        self.invocations.caller_gone(server)
        if server.migration_level >= _MIGRATES_ALWAYS:
            self.move_clients(server)
        for client in list(server.clients.values()):
            client.server_lost()

    def carrier(self, hub: str, claims: Mapping[str, Any]) -> ServerConnection | None:
        """Give the connection that a new client gets: the one with the fewest clients.

        Args:
            hub: Name of the client's hub.
            claims: Those of its token, which may ask for one server.

        Returns:
            The connection, or None if there is none that it may have.
        """
        carriers = [each for each in self.of_hub(hub) if each.takes_clients]
        wanted = claims.get(_SERVER)
        own = [each for each in carriers if each.server_id == wanted]
        is_bound = str(claims.get(_STICKY, "")).lower() == _REQUIRED
        return _least_loaded(own if own or is_bound else carriers)

    def move_clients(self, server: ServerConnection) -> None:
        """Have other servers take over the clients of a connection, as long as there are any."""
        for client in list(server.clients.values()):
            to = _least_loaded(
                [
                    each
                    for each in self.of_hub(server.hub)
                    if each.takes_clients and each.server_id != server.server_id
                ]
            )
            if to is None:
                return
            client.move(to)

    def rebalance(self, server: ServerConnection) -> None:
        """Have the server open one more connection, to carry some of its clients."""
        server.send(Ping((_TARGET, self.instance_id)))

    def go_offline(self, server: ServerConnection) -> None:
        """End the clients of a connection as with an instance of the service that is gone.

        The server ends them by itself when it is told so, and the clients are told nothing.
        """
        server.send(Ping((_OFFLINE, self.instance_id)))
        for client in list(server.clients.values()):
            client.service_lost()


def _least_loaded(carriers: list[ServerConnection]) -> ServerConnection | None:
    return min(carriers, key=lambda each: len(each.clients), default=None)
