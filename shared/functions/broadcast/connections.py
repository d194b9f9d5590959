"""Who is connected: existence, members of a group, closing."""

from http import HTTPStatus
from typing import Annotated

import azure.functions as func
import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ...aio import SignalRServiceClient
from ...settings.hubs import Hubs
from ..problems import ProblemError, json_response
from .parameters import (
    ClosingParameters,
    ConnectionParameters,
    GroupParameters,
    MembersParameters,
    UserParameters,
    read_parameters,
)

__all__ = ["Connections", "Member", "Members"]

_encode = msgspec.json.Encoder().encode


class Member(Struct, frozen=True, rename="camel"):
    """A connection in a group."""

    connection_id: str
    user_id: Annotated[str | UnsetType, Meta(description="Its user, if it has one.")] = UNSET


class Members(Struct, frozen=True, rename="camel"):
    """Connections in a group, in no particular order."""

    connections: list[Member]
    has_more: Annotated[bool, Meta(description="Whether the group has more connections.")]


class Connections:
    """Answers requests about who is connected.

    Args:
        service: Knows it.
        hubs: Which hubs there are.
    """

    def __init__(self, service: SignalRServiceClient, hubs: Hubs) -> None:
        self._service = service
        self._hubs = hubs

    async def exists(self, req: func.HttpRequest) -> func.HttpResponse:
        """Tell whether a connection is open."""
        asked = read_parameters(req, ConnectionParameters, self._hubs)
        found = await self._service.connection_exists(asked.hub, asked.connection_id)
        return _existence(is_there=found)

    async def close(self, req: func.HttpRequest) -> func.HttpResponse:
        """Close a connection."""
        asked = read_parameters(req, ClosingParameters, self._hubs)
        await self._service.close_connection(
            asked.hub, asked.connection_id, reason=asked.reason or None
        )
        return func.HttpResponse(status_code=HTTPStatus.NO_CONTENT)

    async def user_exists(self, req: func.HttpRequest) -> func.HttpResponse:
        """Tell whether a user has a connection."""
        asked = read_parameters(req, UserParameters, self._hubs)
        return _existence(is_there=await self._service.user_exists(asked.hub, asked.user_id))

    async def group_exists(self, req: func.HttpRequest) -> func.HttpResponse:
        """Tell whether a group has a connection."""
        asked = read_parameters(req, GroupParameters, self._hubs)
        return _existence(is_there=await self._service.group_exists(asked.hub, asked.group_name))

    async def members(self, req: func.HttpRequest) -> func.HttpResponse:
        """List connections in a group."""
        asked = read_parameters(req, MembersParameters, self._hubs)
        members = await _members(self._service, asked.hub, asked.group_name, asked.top)
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
