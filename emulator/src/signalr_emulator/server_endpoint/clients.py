"""What servers say to the clients that they carry, and about them."""

import logging

from ..clients.hubs import Hubs
from ..server_connections.live import ServerConnection
from ..service_protocol.fields import FlowOperation
from ..service_protocol.messages import CloseConnection, ConnectionData, ConnectionFlowControl
from .answers import Handlers

__all__ = ["ClientHandlers"]

_LOGGER = logging.getLogger(__name__)


class ClientHandlers:
    """Takes data and ends to the clients of a server connection.

    Args:
        hubs: Where clients of others are found, which a server may close too.
    """

    def __init__(self, hubs: Hubs) -> None:
        self._hubs = hubs

    def handlers(self) -> Handlers:
        """Give what carries out each message."""
        return {
            ConnectionData: self._data,
            CloseConnection: self._close,
            ConnectionFlowControl: self._flow,
        }

    def _data(self, server: ServerConnection, data: ConnectionData) -> None:
        # A client may be gone while its server still speaks to it.
        client = server.clients.get(data.connection_id)
        if client is not None:
            client.from_server(data)

    def _close(self, server: ServerConnection, asked: CloseConnection) -> None:
        client = server.clients.get(asked.connection_id)
        if client is not None:
            client.closed_by_server()
            return
        for member in list(self._hubs.connection(server.hub, asked.connection_id).values()):
            member.disconnect(asked.error or None, allow_reconnect=True)

    def _flow(self, server: ServerConnection, asked: ConnectionFlowControl) -> None:
        if asked.operation is FlowOperation.PAUSE_ACK:
            _LOGGER.debug("Server %s holds back what is for a client.", server.server_id)
