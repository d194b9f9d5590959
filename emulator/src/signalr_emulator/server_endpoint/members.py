"""What servers ask about connections, users and groups, and which connections they close."""

from ..clients.hubs import Hubs, disconnect
from ..clients.user_groups import UserGroups
from ..errors import InvalidRequestError
from ..operations.pages import MAX_PAGE_SIZE, page
from ..server_connections.live import ServerConnection
from ..service_protocol import payloads
from ..service_protocol.messages import Ack
from ..service_protocol.requests import (
    CheckConnectionExistenceWithAck,
    CheckGroupExistenceWithAck,
    CheckUserExistenceWithAck,
    CheckUserInGroupWithAck,
    CloseConnectionsWithAck,
    CloseConnectionWithAck,
    CloseGroupConnectionsWithAck,
    CloseUserConnectionsWithAck,
    GroupMemberQuery,
)
from .answers import Handlers, done, found_or_not

__all__ = ["MemberHandlers"]


class MemberHandlers:
    """Looks at connections, and closes them.

    Args:
        hubs: Whose connections these are.
        user_groups: The groups of users.
    """

    def __init__(self, hubs: Hubs, user_groups: UserGroups) -> None:
        self._hubs = hubs
        self._user_groups = user_groups

    def handlers(self) -> Handlers:
        """Give what carries out each message."""
        return {
            CheckConnectionExistenceWithAck: self._connection_exists,
            CheckUserExistenceWithAck: self._user_exists,
            CheckGroupExistenceWithAck: self._group_exists,
            CheckUserInGroupWithAck: self._user_in_group,
            CloseConnectionWithAck: self._close_connection,
            CloseConnectionsWithAck: self._close_all,
            CloseUserConnectionsWithAck: self._close_user,
            CloseGroupConnectionsWithAck: self._close_group,
            GroupMemberQuery: self._list_group,
        }

    def _connection_exists(
        self, server: ServerConnection, asked: CheckConnectionExistenceWithAck
    ) -> Ack:
        found = self._hubs.connection(server.hub, asked.connection_id)
        return found_or_not(asked.ack_id, found, "There is no such connection.")

    def _user_exists(self, server: ServerConnection, asked: CheckUserExistenceWithAck) -> Ack:
        found = self._hubs.user(server.hub, asked.user_id)
        return found_or_not(asked.ack_id, found, "The user has no connection.")

    def _group_exists(self, server: ServerConnection, asked: CheckGroupExistenceWithAck) -> Ack:
        found = self._hubs.group(server.hub, asked.group)
        return found_or_not(asked.ack_id, found, "The group has no connection.")

    def _user_in_group(self, server: ServerConnection, asked: CheckUserInGroupWithAck) -> Ack:
        is_in = self._user_groups.contains(server.hub, asked.user_id, asked.group)
        return found_or_not(asked.ack_id, is_in, "The user is not in the group.")

    def _close_connection(self, server: ServerConnection, asked: CloseConnectionWithAck) -> Ack:
        found = self._hubs.connection(server.hub, asked.connection_id)
        disconnect(found, asked.reason)
        return found_or_not(asked.ack_id, found, "There is no such connection.")

    def _close_all(self, server: ServerConnection, asked: CloseConnectionsWithAck) -> Ack:
        disconnect(self._hubs.everyone(server.hub), asked.reason, asked.excluded)
        return done(asked.ack_id)

    def _close_user(self, server: ServerConnection, asked: CloseUserConnectionsWithAck) -> Ack:
        disconnect(self._hubs.user(server.hub, asked.user_id), asked.reason, asked.excluded)
        return done(asked.ack_id)

    def _close_group(self, server: ServerConnection, asked: CloseGroupConnectionsWithAck) -> Ack:
        disconnect(self._hubs.group(server.hub, asked.group), asked.reason, asked.excluded)
        return done(asked.ack_id)

    def _list_group(self, server: ServerConnection, asked: GroupMemberQuery) -> Ack:
        size = MAX_PAGE_SIZE if asked.max_page_size is None else asked.max_page_size
        if size < 1 or (asked.top is not None and asked.top < 1):
            raise InvalidRequestError("A page has one entry at least.")
        members = self._hubs.group(server.hub, asked.group)
        found = page(
            members,
            size=min(size, MAX_PAGE_SIZE),
            top=asked.top,
            continuation=asked.continuation_token or None,
        )
        listed = [payloads.Member(id_, members[id_].user_id) for id_ in found.ids]
        return done(asked.ack_id, payloads.write_group_page(listed, found.continuation))
