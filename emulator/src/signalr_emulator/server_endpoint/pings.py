"""What pings say besides that somebody is alive.

Source: Azure SignalR .NET SDK (`RuntimeServicePingMessages`); recordings of it.
"""

from datetime import UTC, datetime
from typing import Final

from ..clients.hubs import Hubs
from ..clock import Clock
from ..server_connections.live import ServerConnection
from ..server_connections.registry import ServerConnections
from ..service_protocol.messages import Ping
from .answers import Handlers

__all__ = ["PingHandlers"]

_STATUS: Final = "status"
_SERVERS: Final = "servers"
_SHUTDOWN: Final = "shutdown"
_MIGRATE: Final = "fin:1"
_WAIT: Final = "fin:2"
_FINISHED: Final = "finack"

_CAPACITY: Final = "1000"
"""Connections of one unit (pricing page of the service)."""

_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
_TICKS: Final = 10_000_000
"""Of a second."""


class PingHandlers:
    """Answers pings that ask for something.

    Args:
        hubs: Whose clients are counted.
        servers: Who else there is.
        clock: Stamps answers.
    """

    def __init__(self, hubs: Hubs, servers: ServerConnections, clock: Clock) -> None:
        self._hubs = hubs
        self._servers = servers
        self._clock = clock

    def handlers(self) -> Handlers:
        """Give what carries out each message."""
        return {Ping: self._ping}

    def _ping(self, server: ServerConnection, ping: Ping) -> Ping | None:
        said = dict(zip(ping.texts[::2], ping.texts[1::2], strict=False))
        if _SHUTDOWN in said:
            return self._shut_down(server, said[_SHUTDOWN])
        if _STATUS in said:
            return self._status(server.hub)
        if _SERVERS in said:
            ids = sorted({each.server_id for each in self._servers.of_hub(server.hub)})
            return Ping((_SERVERS, f"{self._ticks()}:{';'.join(ids)}"))
        return None

    def _status(self, hub: str) -> Ping:
        clients = len(self._hubs.everyone(hub))
        servers = {each.server_id for each in self._servers.of_hub(hub)}
        return Ping(
            (
                *(_STATUS, "1" if clients else "0"),
                *("clientcount", str(clients)),
                *("servercount", str(len(servers))),
                *("capacity", _CAPACITY),
            )
        )

    def _shut_down(self, server: ServerConnection, how: str | None) -> Ping | None:
        """Let a server go, which asks on each of its connections and until it is answered."""
        server.is_leaving = True
        if how == _WAIT and server.clients:
            return None
        if how == _MIGRATE:
            self._servers.move_clients(server)
            for client in list(server.clients.values()):
                # Nobody takes it over: it may come again as soon as somebody would.
                client.disconnect(None, allow_reconnect=True)
        return Ping((_SHUTDOWN, _FINISHED))

    def _ticks(self) -> int:
        now = datetime.fromtimestamp(self._clock.now(), UTC) - _FIRST
        return int(now.total_seconds() * _TICKS)
