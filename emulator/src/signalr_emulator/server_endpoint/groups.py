"""What servers change about groups."""

from ..clients.hubs import Hubs
from ..clients.user_groups import UserGroups
from ..errors import InvalidRequestError, NotExistedError
from ..operations.parameters import group_name
from ..server_connections.live import ServerConnection
from ..service_protocol.messages import Ack
from ..service_protocol.requests import (
    JoinGroupWithAck,
    LeaveGroupWithAck,
    UserJoinGroupWithAck,
    UserLeaveGroupWithAck,
)
from ..service_protocol.sends import JoinGroup, LeaveGroup, UserJoinGroup, UserLeaveGroup
from .answers import Handlers, done, found_or_not

__all__ = ["GroupHandlers"]

_NO_CONNECTION = "There is no such connection."


class GroupHandlers:
    """Puts connections and users into groups, and takes them out.

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
            JoinGroup: self._join,
            JoinGroupWithAck: self._join_with_ack,
            LeaveGroup: self._leave,
            LeaveGroupWithAck: self._leave_with_ack,
            UserJoinGroup: self._user_join,
            UserJoinGroupWithAck: self._user_join_with_ack,
            UserLeaveGroup: self._user_leave,
            UserLeaveGroupWithAck: self._user_leave_with_ack,
        }

    def _join(self, server: ServerConnection, asked: JoinGroup) -> None:
        if not self._add(server, asked.connection_id, asked.group):
            raise NotExistedError(_NO_CONNECTION)

    def _join_with_ack(self, server: ServerConnection, asked: JoinGroupWithAck) -> Ack:
        is_added = self._add(server, asked.connection_id, asked.group)
        return found_or_not(asked.ack_id, is_added, _NO_CONNECTION)

    def _leave(self, server: ServerConnection, asked: LeaveGroup) -> None:
        self._remove(server, asked.connection_id, asked.group)

    def _leave_with_ack(self, server: ServerConnection, asked: LeaveGroupWithAck) -> Ack:
        is_there = self._remove(server, asked.connection_id, asked.group)
        return found_or_not(asked.ack_id, is_there, _NO_CONNECTION)

    def _user_join(self, server: ServerConnection, asked: UserJoinGroup) -> None:
        self._add_user(server, asked.user_id, asked.group, asked.ttl)

    def _user_join_with_ack(self, server: ServerConnection, asked: UserJoinGroupWithAck) -> Ack:
        self._add_user(server, asked.user_id, asked.group, asked.ttl)
        return done(asked.ack_id)

    def _user_leave(self, server: ServerConnection, asked: UserLeaveGroup) -> None:
        self._remove_user(server, asked.user_id, asked.group)

    def _user_leave_with_ack(self, server: ServerConnection, asked: UserLeaveGroupWithAck) -> Ack:
        self._remove_user(server, asked.user_id, asked.group)
        return done(asked.ack_id)

    def _add(self, server: ServerConnection, connection_id: str, group: str) -> bool:
        return self._hubs.add_to_group(server.hub, group_name(group), connection_id)

    def _remove(self, server: ServerConnection, connection_id: str, group: str | None) -> bool:
        """Take a connection out of a group or of all, and tell whether it is there."""
        if group is None:
            self._hubs.remove_from_all_groups(server.hub, connection_id)
        else:
            self._hubs.remove_from_group(server.hub, group, connection_id)
        return bool(self._hubs.connection(server.hub, connection_id))

    def _add_user(
        self, server: ServerConnection, user_id: str, group: str, ttl: int | None
    ) -> None:
        if ttl is not None and ttl < 0:
            raise InvalidRequestError("The ttl has to be a number of seconds from 0.", target="ttl")
        self._user_groups.add(server.hub, user_id, group_name(group), ttl)

    def _remove_user(self, server: ServerConnection, user_id: str, group: str | None) -> None:
        if group is None:
            self._user_groups.remove_from_all(server.hub, user_id)
        else:
            self._user_groups.remove(server.hub, user_id, group)
