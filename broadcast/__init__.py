"""Sends to clients: which routes there are for callers with a function key."""

from typing import Final

from shared.functions import Routes

__all__ = ["ROUTES"]

ROUTES: Final[Routes] = {
    "broadcast": "broadcast",  # POST: a message to everyone, a user, a group or a connection
    "groups": "groups",  # POST: add to groups and remove from them
    "group": "groups/{groupName}",  # HEAD: has it a connection?
    "group_connections": "groups/{groupName}/connections",  # GET: which ones
    "connection": "connections/{connectionId}",  # HEAD: is it open? DELETE: close it
    "connected_user": "users/{userId}",  # HEAD: has it a connection?
}
