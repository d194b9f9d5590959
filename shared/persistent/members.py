"""Who is connected: existence, groups, and the end of connections."""

from collections.abc import AsyncIterator, Collection

from ..errors import InvalidArgumentError
from ..rest.members import MAX_PAGE, GroupConnection
from ..rest.pages import Paging
from ..server_connections.connections import HubConnections
from ..service_protocol import requests as ask
from ..service_protocol.acks import read_group_page
from ..service_protocol.messages import CloseConnection
from ..settings.names import check_excluded, check_name
from .exchange import Exchange

__all__ = ["Members"]


class Members(Exchange):
    """The operations about connections, groups and users."""

    async def close_connection(
        self, hub: str, connection_id: str, *, reason: str | None = None
    ) -> None:
        """Close a connection; one that is gone already is no error.

        It is done when the socket has taken the message, as for `send_to_all`.
        """
        connection = check_name("connection_id", connection_id)
        message = CloseConnection(connection_id=connection, error=reason or "")
        await self._write(hub, message, connection)

    async def close_all_connections(
        self, hub: str, *, excluded: Collection[str] = (), reason: str | None = None
    ) -> None:
        """Close every connection of a hub but the excluded ones."""
        request = ask.CloseConnectionsWithAck(reason=reason, excluded=check_excluded(excluded))
        await self._ask(hub, request, "")

    async def close_group_connections(
        self, hub: str, group: str, *, excluded: Collection[str] = (), reason: str | None = None
    ) -> None:
        """Close every connection in a group but the excluded ones."""
        name = check_name("group", group)
        request = ask.CloseGroupConnectionsWithAck(
            group=name, reason=reason, excluded=check_excluded(excluded)
        )
        await self._ask(hub, request, name)

    async def close_user_connections(
        self, hub: str, user_id: str, *, excluded: Collection[str] = (), reason: str | None = None
    ) -> None:
        """Close every connection of a user but the excluded ones."""
        user = check_name("user_id", user_id)
        request = ask.CloseUserConnectionsWithAck(
            user_id=user, reason=reason, excluded=check_excluded(excluded)
        )
        await self._ask(hub, request, user)

    async def connection_exists(self, hub: str, connection_id: str) -> bool:
        """Tell whether a connection is open.

        Raises:
            ServiceError: The service fails, or its ack does not come within 10 to 13 s.
            SignalRError: As `send_to_all`.
        """
        connection = check_name("connection_id", connection_id)
        request = ask.CheckConnectionExistenceWithAck(connection_id=connection)
        return await self._exists(hub, request, connection)

    async def group_exists(self, hub: str, group: str) -> bool:
        """Tell whether a group has a connection; otherwise as `connection_exists`."""
        name = check_name("group", group)
        return await self._exists(hub, ask.CheckGroupExistenceWithAck(group=name), name)

    async def user_exists(self, hub: str, user_id: str) -> bool:
        """Tell whether a user has a connection; otherwise as `connection_exists`."""
        user = check_name("user_id", user_id)
        return await self._exists(hub, ask.CheckUserExistenceWithAck(user_id=user), user)

    async def user_in_group(self, hub: str, user_id: str, group: str) -> bool:
        """Tell whether a user was added to a group; otherwise as `connection_exists`."""
        user = check_name("user_id", user_id)
        request = ask.CheckUserInGroupWithAck(user_id=user, group=check_name("group", group))
        return await self._exists(hub, request, user)

    async def add_connection_to_group(self, hub: str, group: str, connection_id: str) -> None:
        """Put a connection into a group.

        A connection that is gone is no error, other than by REST: the service says "not found" of
        it, which is success to every SDK.

        Raises:
            ServiceError: The service fails, or its ack does not come within 10 to 13 s.
            SignalRError: As `send_to_all`.
        """
        connection = check_name("connection_id", connection_id)
        request = ask.JoinGroupWithAck(connection_id=connection, group=check_name("group", group))
        await self._ask(hub, request, connection)

    async def remove_connection_from_group(self, hub: str, group: str, connection_id: str) -> None:
        """Take a connection out of a group; otherwise as `add_connection_to_group`."""
        connection = check_name("connection_id", connection_id)
        request = ask.LeaveGroupWithAck(connection_id=connection, group=check_name("group", group))
        await self._ask(hub, request, connection)

    async def remove_connection_from_all_groups(self, hub: str, connection_id: str) -> None:
        """Take a connection out of every group; otherwise as `add_connection_to_group`."""
        connection = check_name("connection_id", connection_id)
        request = ask.LeaveGroupWithAck(connection_id=connection, group=None)
        await self._ask(hub, request, connection)

    async def add_user_to_group(
        self, hub: str, group: str, user_id: str, *, ttl: int | None = None
    ) -> None:
        """Put a user into a group; otherwise as `add_connection_to_group`.

        Args:
            hub: Name of the hub.
            group: Name of the group.
            user_id: The user.
            ttl: Seconds for which it lasts; `None` for as long as the service keeps it.
        """
        if ttl is not None and ttl < 0:
            raise InvalidArgumentError("ttl", "must not be negative")
        user = check_name("user_id", user_id)
        request = ask.UserJoinGroupWithAck(user_id=user, group=check_name("group", group), ttl=ttl)
        await self._ask(hub, request, user)

    async def remove_user_from_group(self, hub: str, group: str, user_id: str) -> None:
        """Take a user out of a group; otherwise as `add_connection_to_group`."""
        user = check_name("user_id", user_id)
        request = ask.UserLeaveGroupWithAck(user_id=user, group=check_name("group", group))
        await self._ask(hub, request, user)

    async def remove_user_from_all_groups(self, hub: str, user_id: str) -> None:
        """Take a user out of every group; otherwise as `add_connection_to_group`."""
        user = check_name("user_id", user_id)
        await self._ask(hub, ask.UserLeaveGroupWithAck(user_id=user, group=None), user)

    async def connection_pages(
        self, hub: str, group: str
    ) -> AsyncIterator[tuple[GroupConnection, ...]]:
        """Give the connections in a group, page by page.

        Raises:
            SignalRError: As `connection_exists`, from the iteration.
        """
        name = check_name("group", group)
        for connections in self._connections(hub):
            paging = Paging()
            while paging.next_link is not None:
                request = ask.GroupMemberQuery(
                    group=name, continuation_token=paging.next_link or None, max_page_size=MAX_PAGE
                )
                answer = await connections.ask(request, name)
                if not answer.found:
                    break
                page = read_group_page(answer.payload)
                paging.follow(page.continuation_token or None, items=len(page.members))
                yield tuple(
                    GroupConnection(each.connection_id, each.user_id) for each in page.members
                )

    async def _exists(self, hub: str, request: ask.AckRequest, about: str) -> bool:
        async def found(connections: HubConnections) -> bool:
            return (await connections.ask(request, about)).found

        return await self._everywhere("any", hub, found)
