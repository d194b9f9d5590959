"""The operations on connections, users and groups: existence, membership, closing.

Source of the codes: Azure SignalR .NET SDK, which takes a 404 with the expected code for an answer
and any other 404 for an endpoint that is not there.
"""

from collections.abc import Mapping

from aiohttp import web

from ..clients.hubs import Member, disconnect
from ..errors import NotExistedError
from ..operations.errors import no_connection
from ..operations.pages import MAX_PAGE_SIZE, page
from ..operations.parameters import integer, user_name
from ..operations.table import Task
from ..state.resource import Resource
from .call import Call, Handler

__all__ = ["MemberOperations"]

_CONNECTION_NOT_EXISTED = "Warning.Connection.NotExisted"
_USER_NOT_EXISTED = "Warning.User.NotExisted"
_GROUP_NOT_EXISTED = "Warning.Group.NotExisted"
_USER_NOT_IN_GROUP = "Info.User.NotInGroup"


class MemberOperations:
    """Looks at connections, groups them and closes them.

    Args:
        resource: The SignalR resource that they belong to.
    """

    def __init__(self, resource: Resource) -> None:
        self._hubs = resource.hubs
        self._user_groups = resource.user_groups

    def handlers(self) -> Mapping[Task, Handler]:
        """Give what carries out each operation."""
        return {
            Task.CLOSE_HUB_CONNECTIONS: self._close_hub_connections,
            Task.CLOSE_USER_CONNECTIONS: self._close_user_connections,
            Task.CLOSE_GROUP_CONNECTIONS: self._close_group_connections,
            Task.CLOSE_CONNECTION: self._close_connection,
            Task.CONNECTION_EXISTS: self._connection_exists,
            Task.USER_EXISTS: self._user_exists,
            Task.GROUP_EXISTS: self._group_exists,
            Task.USER_IN_GROUP: self._user_in_group,
            Task.LIST_GROUP_CONNECTIONS: self._list_group_connections,
            Task.ADD_CONNECTION_TO_GROUP: self._add_connection_to_group,
            Task.REMOVE_CONNECTION_FROM_GROUP: self._remove_connection_from_group,
            Task.REMOVE_CONNECTION_FROM_ALL_GROUPS: self._remove_connection_from_all_groups,
            Task.ADD_USER_TO_GROUP: self._add_user_to_group,
            Task.REMOVE_USER_FROM_GROUP: self._remove_user_from_group,
            Task.REMOVE_USER_FROM_ALL_GROUPS: self._remove_user_from_all_groups,
        }

    async def _close_hub_connections(self, call: Call) -> None:
        _close(call, self._hubs.everyone(call.hub))

    async def _close_user_connections(self, call: Call) -> None:
        _close(call, self._hubs.user(call.hub, user_name(call.user)))

    async def _close_group_connections(self, call: Call) -> None:
        _close(call, self._hubs.group(call.hub, call.group))

    async def _close_connection(self, call: Call) -> None:
        found = self._hubs.connection(call.hub, call.connection)
        _close(call, found)
        if not found and not call.is_v1:
            raise NotExistedError("There is no such connection.", code=_CONNECTION_NOT_EXISTED)

    async def _connection_exists(self, call: Call) -> None:
        if not self._hubs.connection(call.hub, call.connection):
            raise NotExistedError("There is no such connection.", code=_CONNECTION_NOT_EXISTED)

    async def _user_exists(self, call: Call) -> None:
        if not self._hubs.user(call.hub, call.user):
            raise NotExistedError("The user has no connection.", code=_USER_NOT_EXISTED)

    async def _group_exists(self, call: Call) -> None:
        if not self._hubs.group(call.hub, call.group):
            raise NotExistedError("The group has no connection.", code=_GROUP_NOT_EXISTED)

    async def _user_in_group(self, call: Call) -> None:
        if not self._user_groups.contains(call.hub, call.user, call.group):
            raise NotExistedError("The user is not in the group.", code=_USER_NOT_IN_GROUP)

    async def _list_group_connections(self, call: Call) -> web.Response:
        members = self._hubs.group(call.hub, call.group)
        top = call.parameter("top")
        found = page(
            members,
            size=integer(
                call.parameter("maxpagesize") or str(MAX_PAGE_SIZE),
                "maxpagesize",
                minimum=1,
                maximum=MAX_PAGE_SIZE,
            ),
            top=None if top is None else integer(top, "top", minimum=1),
            continuation=call.parameter("continuationToken"),
        )
        body: dict[str, object] = {"value": [_described(members[id_]) for id_ in found.ids]}
        if found.continuation is not None:
            left = None if found.left is None else str(found.left)
            body["nextLink"] = call.url_with({"top": left, "continuationToken": found.continuation})
        return web.json_response(body)

    async def _add_connection_to_group(self, call: Call) -> None:
        if not self._hubs.add_to_group(call.hub, call.group, call.connection):
            raise no_connection()

    async def _remove_connection_from_group(self, call: Call) -> None:
        self._hubs.remove_from_group(call.hub, call.group, call.connection)

    async def _remove_connection_from_all_groups(self, call: Call) -> None:
        self._hubs.remove_from_all_groups(call.hub, call.connection)

    async def _add_user_to_group(self, call: Call) -> None:
        hub, group = call.hub, call.group
        text = call.parameter("ttl")
        ttl = None if text is None else integer(text, "ttl", minimum=0)
        self._user_groups.add(hub, call.user, group, ttl)

    async def _remove_user_from_group(self, call: Call) -> None:
        self._user_groups.remove(call.hub, call.user, call.group)

    async def _remove_user_from_all_groups(self, call: Call) -> None:
        self._user_groups.remove_from_all(call.hub, call.user)


def _close(call: Call, members: Mapping[str, Member]) -> None:
    disconnect(members, call.parameter("reason"), call.excluded)


def _described(member: Member) -> dict[str, str]:
    described = {"connectionId": member.connection_id}
    if member.user_id is not None:
        described["userId"] = member.user_id
    return described
