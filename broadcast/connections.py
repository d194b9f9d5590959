"""The functions about who is connected: existence, members of a group, closing."""

from http import HTTPStatus
from typing import Annotated, Final

import azure.functions as func
import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from broadcast.parameters import (
    ClosingParameters,
    ConnectionParameters,
    GroupParameters,
    MembersParameters,
    UserParameters,
    read_parameters,
)
from problems import ProblemError, http_function, json_response
from shared.aio import SignalRServiceClient
from shared.settings import Settings

__all__ = ["Member", "Members", "add_connection_functions"]

# POST to a path of two steps is left to the hub's own negotiate, so that a hub may be called
# "groups". The functions' names come before "negotiate_hub" for the same reason: the Functions
# host in Azure goes by them.
_NOT_POST: Final = ("GET", "HEAD", "PUT", "PATCH", "DELETE")

_encode = msgspec.json.Encoder().encode


class Member(Struct, frozen=True, rename="camel"):
    """A connection in a group."""

    connection_id: str
    user_id: Annotated[str | UnsetType, Meta(description="Its user, if it has one.")] = UNSET


class Members(Struct, frozen=True, rename="camel"):
    """Connections in a group, in no particular order."""

    connections: list[Member]
    has_more: Annotated[bool, Meta(description="Whether the group has more connections.")]


def add_connection_functions(
    functions: func.Blueprint, service: SignalRServiceClient, settings: Settings
) -> None:
    """Add the functions about who is connected.

    Args:
        functions: Where they belong.
        service: Knows it.
        settings: Which hubs there are.
    """
    level = func.AuthLevel.FUNCTION

    @functions.route("connections/{connectionId}", methods=_NOT_POST, auth_level=level)
    @http_function("HEAD", "DELETE")
    async def connection(req: func.HttpRequest) -> func.HttpResponse:
        if req.method == "DELETE":
            return await close(req)
        asked = read_parameters(req, ConnectionParameters, settings)
        return _existence(is_there=await service.connection_exists(asked.hub, asked.connection_id))

    async def close(req: func.HttpRequest) -> func.HttpResponse:
        asked = read_parameters(req, ClosingParameters, settings)
        await service.close_connection(asked.hub, asked.connection_id, reason=asked.reason or None)
        return func.HttpResponse(status_code=HTTPStatus.NO_CONTENT)

    @functions.route("users/{userId}", methods=_NOT_POST, auth_level=level)
    @http_function("HEAD")
    async def connected_user(req: func.HttpRequest) -> func.HttpResponse:
        asked = read_parameters(req, UserParameters, settings)
        return _existence(is_there=await service.user_exists(asked.hub, asked.user_id))

    @functions.route("groups/{groupName}", methods=_NOT_POST, auth_level=level)
    @http_function("HEAD")
    async def group(req: func.HttpRequest) -> func.HttpResponse:
        asked = read_parameters(req, GroupParameters, settings)
        return _existence(is_there=await service.group_exists(asked.hub, asked.group_name))

    @functions.route("groups/{groupName}/connections", auth_level=level)
    @http_function("GET")
    async def group_connections(req: func.HttpRequest) -> func.HttpResponse:
        asked = read_parameters(req, MembersParameters, settings)
        members = await _members(service, asked.hub, asked.group_name, asked.top)
        return json_response(_encode(members))


def _existence(*, is_there: bool) -> func.HttpResponse:
    if not is_there:
        raise ProblemError(HTTPStatus.NOT_FOUND, "Nobody is connected by this name.")
    return json_response("")


async def _members(service: SignalRServiceClient, hub: str, group: str, top: int) -> Members:
    members: list[Member] = []
    async for each in service.list_connections_in_group(hub, group):
        if len(members) == top:
            return Members(members, has_more=True)
        members.append(Member(each.connection_id, each.user_id or UNSET))
    return Members(members, has_more=False)
