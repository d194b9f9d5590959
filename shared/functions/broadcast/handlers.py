"""Answers requests that use the service on behalf of a caller with a function key."""

from collections.abc import Mapping

import azure.functions as func

from ...aio import SignalRServiceClient
from ...settings.hubs import Hubs
from ..problems import Handler, http_function
from .connections import Connections
from .lists import Lists

__all__ = ["broadcast_handlers"]


def broadcast_handlers(service: SignalRServiceClient, hubs: Hubs) -> Mapping[str, Handler]:
    """Return the handlers by the names of their functions: messages, groups, and who is connected.

    Args:
        service: Does what is asked.
        hubs: Which hubs there are.
    """
    lists = Lists(service, hubs)
    connections = Connections(service, hubs)

    @http_function("POST")
    async def broadcast(req: func.HttpRequest) -> func.HttpResponse:
        return await lists.broadcast(req)

    @http_function("POST")
    async def groups(req: func.HttpRequest) -> func.HttpResponse:
        return await lists.groups(req)

    @http_function("HEAD", "DELETE")
    async def connection(req: func.HttpRequest) -> func.HttpResponse:
        if req.method == "DELETE":
            return await connections.close(req)
        return await connections.exists(req)

    @http_function("HEAD")
    async def connected_user(req: func.HttpRequest) -> func.HttpResponse:
        return await connections.user_exists(req)

    @http_function("HEAD")
    async def group(req: func.HttpRequest) -> func.HttpResponse:
        return await connections.group_exists(req)

    @http_function("GET")
    async def group_connections(req: func.HttpRequest) -> func.HttpResponse:
        return await connections.members(req)

    return {
        "broadcast": broadcast,
        "groups": groups,
        "connection": connection,
        "connected_user": connected_user,
        "group": group,
        "group_connections": group_connections,
    }
