"""Where app servers connect: the WebSocket of `/server/`, which needs no negotiation.

Source: Azure SignalR .NET SDK 1.34.0 (`ServiceEndpointProvider`, recordings): the query names the
hub with its application's prefix and the connection's id, headers the server.
"""

import asyncio
import secrets
from typing import Final

from aiohttp import web

from ..configuration.service_mode import ServiceMode
from ..errors import AuthenticationError, InvalidRequestError, RequestError
from ..faults.disturbances import HANDSHAKE, Disturbances
from ..operations.errors import error_response, unauthorized
from ..operations.parameters import effective_hub
from ..operations.table import DataAction
from ..rest.authentication import ConnectionAuthentication
from ..rest.callers import Callers
from ..rest.noted import NOTED
from ..rest.tokens import ClientTokens
from ..server_connections.connection import Connection
from ..server_connections.live import ServerConnection
from ..service_protocol.messages import (
    ConnectionData,
    ConnectionFlowControl,
    ConnectionKind,
    HandshakeRequest,
    Ping,
)
from ..service_protocol.sends import (
    BroadcastData,
    GroupBroadcastData,
    MultiConnectionData,
    MultiGroupBroadcastData,
    MultiUserData,
    UserData,
)
from ..service_protocol.table import Message
from ..state.journal import Request, ServerRequest
from ..state.resource import Resource
from ..state.service import Service
from ..transports.local_address import local_address
from ..websocket.upgrade import is_upgrade, switch_protocols, take_over
from .answers import Handlers
from .authentication import AuthenticationHandlers
from .clients import ClientHandlers
from .groups import GroupHandlers
from .members import MemberHandlers
from .pings import PingHandlers
from .results import ResultHandlers
from .sends import SendHandlers
from .session import Session
from .socket import ServerSocket

__all__ = ["ServerEndpoint", "message_handlers"]

_PATHS: Final = ("/server/", "/server")
_SERVER_ID: Final = "X-ASRS-Server-Id"
_MAX_ID_LENGTH: Final = 256

_NOT_SHOWN: Final = frozenset(
    {
        Ping,
        ConnectionData,
        ConnectionFlowControl,
        BroadcastData,
        GroupBroadcastData,
        MultiConnectionData,
        MultiGroupBroadcastData,
        MultiUserData,
        UserData,
    }
)
"""What says nothing to a person, and messages to clients, which are kept as such."""


class ServerEndpoint:
    """Lets app servers connect, and carries out what they say.

    Args:
        service: The state of the emulator.
        resource: The SignalR resource whose clients they answer, or send to.
    """

    def __init__(self, service: Service, resource: Resource) -> None:
        self._service = service
        self._resource = resource
        self._callers = Callers(service, resource)
        self._handlers = message_handlers(service, resource)

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        return [web.get(path, self._connect, allow_head=False) for path in _PATHS]

    async def disconnect_all(self, _app: web.Application) -> None:
        """Close every server connection, as the service stops."""
        for server in self._resource.servers.all():
            server.socket.close()

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        noted = request[NOTED] = Request(data_action=DataAction.SERVER_CONNECTION)
        try:
            server_id, hub, connection_id = self._admit(request, noted)
        except AuthenticationError as error:
            return unauthorized(error)
        except RequestError as error:
            return error_response(error)
        if not is_upgrade(request):
            return error_response(InvalidRequestError("A server connection is a WebSocket."))
        response = await switch_protocols(request)
        if request.transport is not None:
            self._start(request, request.transport, server_id, hub, connection_id)
        return response

    def _admit(self, request: web.Request, noted: Request) -> tuple[str, str, str]:
        """Give the server, the hub and the id of a connection that may be opened."""
        caller = self._callers.of(request, noted)
        noted.allowed_by = self._callers.permit(caller, DataAction.SERVER_CONNECTION)
        hub = effective_hub(request.query.get("hub", ""))
        connection_id = _id(request.query.get("cid") or secrets.token_hex(16), "cid")
        if self._resource.servers.find(hub, connection_id) is not None:
            raise InvalidRequestError("Another server connection has this id.", target="cid")
        server_id = _id(request.headers.get(_SERVER_ID) or connection_id, _SERVER_ID)
        return server_id, hub, connection_id

    def _start(
        self,
        request: web.Request,
        transport: asyncio.Transport,
        server_id: str,
        hub: str,
        connection_id: str,
    ) -> None:
        socket = ServerSocket(transport)
        address = local_address(request)
        disturbances = Disturbances(
            self._service.faults, hub, None if address is None else address.port
        )
        server = ServerConnection(
            connection_id=connection_id,
            server_id=server_id,
            hub=hub,
            socket=socket,
        )
        connection = Connection(
            connection_id,
            lambda asked: disturbances.refusal(HANDSHAKE) or self._refusal(server, asked),
            self._service.config.server_timing,
            asyncio.get_running_loop().time(),
        )
        session = Session(
            connection,
            server,
            servers=self._resource.servers,
            socket=socket,
            handlers=self._handlers,
            disturbances=disturbances,
            expire=self._resource.user_groups.expire,
            carried_out=self._carried_out,
        )
        socket.listen(session.take, session.end)
        socket.data_received(take_over(request, transport, socket))

    def _carried_out(self, server: ServerConnection, message: Message, error: str | None) -> None:
        """Keep what a server asked for."""
        if error is None and type(message) in _NOT_SHOWN:
            return
        service = self._service
        service.journal.happened(
            ServerRequest(
                time=service.clock.now(),
                resource=self._resource.config.name,
                hub=server.hub,
                server_id=server.server_id,
                connection_id=server.connection_id,
                message=message,
                error=error,
            )
        )

    def _refusal(self, server: ServerConnection, asked: HandshakeRequest) -> str | None:
        """Tell why a server may not connect, or give None."""
        if asked.connection_type not in ConnectionKind:
            return f"Type {asked.connection_type} of a server connection is not known."
        if self._resource.servers.find(server.hub, server.connection_id) is not None:
            return "Another server connection has this id."
        is_weak = asked.connection_type == ConnectionKind.WEAK
        if self._service.config.service_mode is ServiceMode.SERVERLESS and not is_weak:
            return (
                "The service is in 'Serverless' mode, in which app servers send and have no"
                " clients. Start the emulator with --service-mode Default, or Classic."
            )
        return None


def message_handlers(service: Service, resource: Resource) -> Handlers:
    """Give what carries out each message of an app server.

    Args:
        service: The state of the emulator.
        resource: The SignalR resource that the app server is connected to.
    """
    hubs, servers, user_groups = resource.hubs, resource.servers, resource.user_groups
    authentication = ConnectionAuthentication(service, resource, ClientTokens(service, resource))
    return {
        **ClientHandlers(hubs).handlers(),
        **SendHandlers(hubs, resource.config.name, service.journal, service.clock).handlers(),
        **GroupHandlers(hubs, user_groups).handlers(),
        **MemberHandlers(hubs, user_groups).handlers(),
        **ResultHandlers(hubs, servers, service.config.server_timing).handlers(),
        **AuthenticationHandlers(resource, Callers(service, resource), authentication).handlers(),
        **PingHandlers(hubs, servers, service.clock).handlers(),
    }


def _id(text: str, target: str) -> str:
    if len(text) > _MAX_ID_LENGTH or not text.isprintable():
        raise InvalidRequestError(
            f"An id has {_MAX_ID_LENGTH} printable characters at most.", target=target
        )
    return text
