"""What happens to connections of clients and of app servers, at the control port."""

from collections.abc import Callable, Mapping
from typing import Final

from aiohttp import web

from ..client_endpoint.live_clients import AnyClient
from ..clients.connected import Client
from ..documents.choice import chosen
from ..documents.json_text import Json, decode
from ..documents.problems import checked
from ..server_connections.client import RelayedClient
from ..server_connections.live import ServerConnection
from ..server_connections.registry import ServerConnections
from ..state.service import Service

__all__ = ["ConnectionRoutes"]

_CLIENT: Final[Mapping[str, Callable[[AnyClient], str | None]]] = {
    "hub": lambda client: client.hub,
    "userId": lambda client: client.user_id,
    "connectionId": lambda client: client.connection_id,
}

_SERVER: Final[Mapping[str, Callable[[ServerConnection], str | None]]] = {
    "hub": lambda server: server.hub,
    "serverId": lambda server: server.server_id,
    "connectionId": lambda server: server.connection_id,
}


class ConnectionRoutes:
    """Cuts connections, and has the service tell app servers what Azure's does now and then.

    Args:
        service: Whose connections these are.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        servers = "/emulator/server-connections"
        return [
            web.post("/emulator/clients/drop", checked(self._drop_clients)),
            web.post(f"{servers}/drop", checked(self._drop_servers)),
            web.post(f"{servers}/rebalance", checked(self._rebalance)),
            web.post(f"{servers}/offline", checked(self._go_offline)),
        ]

    async def _drop_clients(self, request: web.Request) -> web.Response:
        clients = [
            member
            for resource in self._service.resources
            for member in resource.hubs.members()
            if isinstance(member, Client | RelayedClient)
        ]
        found = chosen(await _document(request), clients, _CLIENT)
        for client in found:
            client.drop()
        return web.json_response({"dropped": len(found)})

    async def _drop_servers(self, request: web.Request) -> web.Response:
        count = await self._each(request, lambda _servers, server: server.socket.abort())
        return web.json_response({"dropped": count})

    async def _rebalance(self, request: web.Request) -> web.Response:
        return web.json_response({"told": await self._each(request, ServerConnections.rebalance)})

    async def _go_offline(self, request: web.Request) -> web.Response:
        return web.json_response({"told": await self._each(request, ServerConnections.go_offline)})

    async def _each(
        self,
        request: web.Request,
        carry_out: Callable[[ServerConnections, ServerConnection], None],
    ) -> int:
        """Carry something out for each server connection that is meant, and count them."""
        document = await _document(request)
        count = 0
        for servers in [resource.servers for resource in self._service.resources]:
            for server in chosen(document, servers.all(), _SERVER):
                carry_out(servers, server)
                count += 1
        return count


async def _document(request: web.Request) -> Json:
    body = await request.read()
    return decode(body) if body else {}
