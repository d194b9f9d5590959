"""Operations about who is connected: existence, groups, and the end of connections."""

from collections.abc import Collection, Iterator, Mapping
from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from ..errors import InvalidArgumentError, UnexpectedResponseError
from ..settings.names import check_excluded, connection_path, group_path, hub_path, user_path
from ..transport.flow import Flow
from . import operations as op
from .exchange import Exchange, is_success, read_object
from .operations import Operation
from .pages import Paging

__all__ = ["MAX_PAGE", "ConnectionPage", "GroupConnection", "Members"]

MAX_PAGE: Final = 200
"""Most connections of one page of a list (REST API 2024-12-01)."""


class GroupConnection(NamedTuple):
    """A connection in a group.

    Args:
        connection_id: Its id.
        user_id: Its user, or `None` for an anonymous one.
    """

    connection_id: str
    user_id: str | None = None


class ConnectionPage(NamedTuple):
    """One page of the connections in a group.

    Args:
        connections: The connections of this page.
        next_link: Address of the next page, or `None` on the last one.
    """

    connections: tuple[GroupConnection, ...]
    next_link: str | None


class Members(Exchange):
    """The operations about connections, groups and users."""

    def close_connection(
        self, hub: str, connection_id: str, *, reason: str | None = None
    ) -> Flow[None]:
        """Close a connection; one that is gone already is no error.

        Args:
            hub: Name of the hub.
            connection_id: Id of the connection.
            reason: What the client is told.

        Raises:
            SignalRError: As `send_to_all`.
        """
        names = connection_path(hub, connection_id)
        yield from self.call(op.CLOSE_CONNECTION, names, query={"reason": reason})

    def close_all_connections(
        self, hub: str, *, excluded: Collection[str] = (), reason: str | None = None
    ) -> Flow[None]:
        """Close every connection of a hub but the excluded ones."""
        query = {"excluded": check_excluded(excluded), "reason": reason}
        yield from self.call(op.CLOSE_ALL_CONNECTIONS, hub_path(hub), query=query)

    def close_group_connections(
        self, hub: str, group: str, *, excluded: Collection[str] = (), reason: str | None = None
    ) -> Flow[None]:
        """Close every connection in a group but the excluded ones."""
        query = {"excluded": check_excluded(excluded), "reason": reason}
        yield from self.call(op.CLOSE_GROUP_CONNECTIONS, group_path(hub, group), query=query)

    def close_user_connections(
        self, hub: str, user_id: str, *, excluded: Collection[str] = (), reason: str | None = None
    ) -> Flow[None]:
        """Close every connection of a user but the excluded ones."""
        query = {"excluded": check_excluded(excluded), "reason": reason}
        yield from self.call(op.CLOSE_USER_CONNECTIONS, user_path(hub, user_id), query=query)

    def connection_exists(self, hub: str, connection_id: str) -> Flow[bool]:
        """Tell whether a connection is open."""
        names = connection_path(hub, connection_id)
        return (yield from self._exists(op.CONNECTION_EXISTS, names))

    def group_exists(self, hub: str, group: str) -> Flow[bool]:
        """Tell whether a group has a connection."""
        return (yield from self._exists(op.GROUP_EXISTS, group_path(hub, group)))

    def user_exists(self, hub: str, user_id: str) -> Flow[bool]:
        """Tell whether a user has a connection."""
        return (yield from self._exists(op.USER_EXISTS, user_path(hub, user_id)))

    def user_in_group(self, hub: str, user_id: str, group: str) -> Flow[bool]:
        """Tell whether a user was added to a group."""
        names = user_path(hub, user_id) | group_path(hub, group)
        return (yield from self._exists(op.USER_IN_GROUP, names))

    def connection_page(self, hub: str, group: str, next_link: str = "") -> Flow[ConnectionPage]:
        """Get one page of the connections in a group.

        Args:
            hub: Name of the hub.
            group: Name of the group.
            next_link: Where the page before says that this one is; empty for the first.

        Raises:
            SignalRError: As `send_to_all`.
        """
        query = _page_query(next_link) if next_link else {"maxpagesize": str(MAX_PAGE)}
        response = yield from self.call(
            op.LIST_CONNECTIONS_IN_GROUP, group_path(hub, group), query=query
        )
        return _page(read_object(response))

    def connection_pages(self, hub: str, group: str) -> Iterator[Flow[tuple[GroupConnection, ...]]]:
        """Give a flow for each page of the connections in a group.

        Each has to be run to its end before the next one is taken.
        """
        paging = Paging()
        while paging.next_link is not None:
            yield self._page_on(paging, hub, group)

    def add_connection_to_group(self, hub: str, group: str, connection_id: str) -> Flow[None]:
        """Put a connection into a group.

        Raises:
            ConnectionNotFoundError: There is no such connection.
            SignalRError: As `send_to_all`.
        """
        names = group_path(hub, group) | connection_path(hub, connection_id)
        yield from self.call(op.ADD_CONNECTION_TO_GROUP, names)

    def remove_connection_from_group(self, hub: str, group: str, connection_id: str) -> Flow[None]:
        """Take a connection out of a group; one that is not in it, or gone, is no error."""
        names = group_path(hub, group) | connection_path(hub, connection_id)
        yield from self.call(op.REMOVE_CONNECTION_FROM_GROUP, names)

    def remove_connection_from_all_groups(self, hub: str, connection_id: str) -> Flow[None]:
        """Take a connection out of every group."""
        names = connection_path(hub, connection_id)
        yield from self.call(op.REMOVE_CONNECTION_FROM_ALL_GROUPS, names)

    def add_user_to_group(
        self, hub: str, group: str, user_id: str, *, ttl: int | None = None
    ) -> Flow[None]:
        """Put a user into a group: every connection that the user has, or opens later.

        Args:
            hub: Name of the hub.
            group: Name of the group.
            user_id: The user.
            ttl: Seconds for which it lasts; 0 for the connections of this moment only; `None` for
                up to a year.

        Raises:
            SignalRError: As `send_to_all`.
        """
        if ttl is not None and ttl < 0:
            raise InvalidArgumentError("ttl", "must not be negative")
        names = user_path(hub, user_id) | group_path(hub, group)
        yield from self.call(op.ADD_USER_TO_GROUP, names, query={"ttl": ttl})

    def remove_user_from_group(self, hub: str, group: str, user_id: str) -> Flow[None]:
        """Take a user out of a group; one that is not in it is no error."""
        names = user_path(hub, user_id) | group_path(hub, group)
        yield from self.call(op.REMOVE_USER_FROM_GROUP, names)

    def remove_user_from_all_groups(self, hub: str, user_id: str) -> Flow[None]:
        """Take a user out of every group."""
        yield from self.call(op.REMOVE_USER_FROM_ALL_GROUPS, user_path(hub, user_id))

    def _page_on(self, paging: Paging, hub: str, group: str) -> Flow[tuple[GroupConnection, ...]]:
        page = yield from self.connection_page(hub, group, paging.next_link or "")
        paging.follow(page.next_link, items=len(page.connections))
        return page.connections

    def _exists(self, operation: Operation, names: Mapping[str, str]) -> Flow[bool]:
        response = yield from self.call(operation, names)
        return is_success(response)


def _page_query(next_link: str) -> dict[str, str]:
    """Take the query of a link and nothing else: the token goes to the service's own host only."""
    try:
        return dict(parse_qsl(urlsplit(next_link).query))
    except ValueError:
        raise _unusable() from None


def _page(answer: Mapping[str, object]) -> ConnectionPage:
    items, next_link = answer.get("value"), answer.get("nextLink")
    if not isinstance(items, list):
        raise _unusable()
    connections = tuple(map(_connection, items))
    # An empty link leads nowhere either; some services end their lists with one.
    return ConnectionPage(connections, (next_link or None) if isinstance(next_link, str) else None)


def _connection(item: object) -> GroupConnection:
    named = item if isinstance(item, dict) else {}
    connection_id, user_id = named.get("connectionId"), named.get("userId")
    if not isinstance(connection_id, str) or not isinstance(user_id, str | None):
        raise _unusable()
    return GroupConnection(connection_id, user_id)


def _unusable() -> UnexpectedResponseError:
    return UnexpectedResponseError("A page of connections cannot be read", status=HTTPStatus.OK)
