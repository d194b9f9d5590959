"""Answers requests that use the service on behalf of a caller with a function key."""

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import azure.functions as func

from ...aio import SignalRServiceClient
from ...settings.hubs import Hubs
from ..http_function import HttpFunction
from ..problems import Handler, http_function

if TYPE_CHECKING:
    from .connections import Connections
    from .lists import Lists

__all__ = ["broadcast_functions"]

# POST to a path of two steps is left to the hub's own negotiate, so that a hub may be called
# "groups". The functions' names come before "negotiate_hub" for the same reason: the Functions
# host in Azure goes by them.
_NOT_POST: Final = ("GET", "HEAD", "PUT", "PATCH", "DELETE")


def broadcast_functions(service: SignalRServiceClient, hubs: Hubs) -> Mapping[str, HttpFunction]:
    """Return the functions by their names: messages, groups, and who is connected.

    Args:
        service: Does what is asked.
        hubs: Which hubs there are.
    """

    # Neither is imported above, since they import msgspec, for which no cold negotiation should
    # wait.
    @functools.cache
    def lists() -> "Lists":
        from .lists import Lists  # noqa: PLC0415

        return Lists(service, hubs)

    @functools.cache
    def connections() -> "Connections":
        from .connections import Connections  # noqa: PLC0415

        return Connections(service, hubs)

    @http_function("POST")
    async def broadcast(req: func.HttpRequest) -> func.HttpResponse:
        return await lists().broadcast(req)

    @http_function("POST")
    async def groups(req: func.HttpRequest) -> func.HttpResponse:
        return await lists().groups(req)

    @http_function("HEAD", "DELETE")
    async def connection(req: func.HttpRequest) -> func.HttpResponse:
        if req.method == "DELETE":
            return await connections().close(req)
        return await connections().exists(req)

    @http_function("HEAD")
    async def connected_user(req: func.HttpRequest) -> func.HttpResponse:
        return await connections().user_exists(req)

    @http_function("HEAD")
    async def group(req: func.HttpRequest) -> func.HttpResponse:
        return await connections().group_exists(req)

    @http_function("GET")
    async def group_connections(req: func.HttpRequest) -> func.HttpResponse:
        return await connections().members(req)

    return {
        "broadcast": _keyed(broadcast),
        "groups": _keyed(groups),
        "connection": _keyed(connection, _NOT_POST),
        "connected_user": _keyed(connected_user, _NOT_POST),
        "group": _keyed(group, _NOT_POST),
        "group_connections": _keyed(group_connections),
    }


def _keyed(handler: Handler, methods: tuple[str, ...] | None = None) -> HttpFunction:
    return HttpFunction(handler, needs_key=True, methods=methods)
