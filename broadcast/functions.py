"""The functions that use the service on behalf of a caller with a function key."""

import functools
from typing import TYPE_CHECKING, Final

import azure.functions as func

from problems import http_function
from shared.aio import SignalRServiceClient
from shared.settings import Settings

if TYPE_CHECKING:
    from broadcast.connections import Connections
    from broadcast.lists import Lists

__all__ = ["blueprint"]

_LEVEL: Final = func.AuthLevel.FUNCTION

# POST to a path of two steps is left to the hub's own negotiate, so that a hub may be called
# "groups". The functions' names come before "negotiate_hub" for the same reason: the Functions
# host in Azure goes by them.
_NOT_POST: Final = ("GET", "HEAD", "PUT", "PATCH", "DELETE")


def blueprint(service: SignalRServiceClient, settings: Settings) -> func.Blueprint:
    """Return the functions.

    Args:
        service: Does what is asked.
        settings: Which hubs there are.
    """
    functions = func.Blueprint()

    # Neither is imported above, since they import msgspec, for which no cold negotiation should
    # wait.
    @functools.cache
    def lists() -> "Lists":
        from broadcast.lists import Lists  # noqa: PLC0415

        return Lists(service, settings)

    @functools.cache
    def connections() -> "Connections":
        from broadcast.connections import Connections  # noqa: PLC0415

        return Connections(service, settings)

    @functions.route("broadcast", auth_level=_LEVEL)
    @http_function("POST")
    async def broadcast(req: func.HttpRequest) -> func.HttpResponse:
        return await lists().broadcast(req)

    @functions.route("groups", auth_level=_LEVEL)
    @http_function("POST")
    async def groups(req: func.HttpRequest) -> func.HttpResponse:
        return await lists().groups(req)

    @functions.route("connections/{connectionId}", methods=_NOT_POST, auth_level=_LEVEL)
    @http_function("HEAD", "DELETE")
    async def connection(req: func.HttpRequest) -> func.HttpResponse:
        if req.method == "DELETE":
            return await connections().close(req)
        return await connections().exists(req)

    @functions.route("users/{userId}", methods=_NOT_POST, auth_level=_LEVEL)
    @http_function("HEAD")
    async def connected_user(req: func.HttpRequest) -> func.HttpResponse:
        return await connections().user_exists(req)

    @functions.route("groups/{groupName}", methods=_NOT_POST, auth_level=_LEVEL)
    @http_function("HEAD")
    async def group(req: func.HttpRequest) -> func.HttpResponse:
        return await connections().group_exists(req)

    @functions.route("groups/{groupName}/connections", auth_level=_LEVEL)
    @http_function("GET")
    async def group_connections(req: func.HttpRequest) -> func.HttpResponse:
        return await connections().members(req)

    return functions
