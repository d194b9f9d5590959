"""Which groups users are in, apart from their connections: a later connection joins them too.

Source: swagger of the REST data plane, 2022-06-01 (description of `ttl`): without a time a user
stays for a year at most, and only the 100 groups that were updated last are kept.
"""

import math
from dataclasses import dataclass

from ..clock import Clock
from .hubs import Hubs, Member

__all__ = ["LONGEST_STAY", "MAX_UNTIMED_GROUPS", "UserGroups"]

LONGEST_STAY = 365 * 24 * 3600
"""How long a user stays in a group without a time of its own, in seconds."""

MAX_UNTIMED_GROUPS = 100
"""How many groups without a time are kept for a user."""


@dataclass(frozen=True, slots=True)
class _Membership:
    expires_at: float
    is_timed: bool


class UserGroups:
    """The groups of the users of one resource.

    Args:
        hubs: Whose connections join and leave with their users.
        clock: Tells when a membership ends.
    """

    def __init__(self, hubs: Hubs, clock: Clock) -> None:
        self._hubs = hubs
        self._clock = clock
        self._groups: dict[tuple[str, str], dict[str, _Membership]] = {}
        self._next_expiry = math.inf
        hubs.watch(self._join)

    def add(self, hub: str, user_id: str, group: str, ttl: int | None = None) -> None:
        """Put a user and its connections into a group.

        Args:
            hub: Name of the hub, in lower case.
            user_id: Who joins.
            group: What is joined.
            ttl: Seconds that the user stays; 0 takes the present connections only, None is the
                longest stay.
        """
        for connection_id in list(self._hubs.user(hub, user_id)):
            self._hubs.add_to_group(hub, group, connection_id)
        if ttl == 0:
            return
        groups = self._groups.setdefault((hub, user_id), {})
        # Taken out first, so that the order of the groups is that of their updates.
        groups.pop(group, None)
        expires_at = self._clock.now() + (LONGEST_STAY if ttl is None else ttl)
        groups[group] = _Membership(expires_at, is_timed=ttl is not None)
        self._next_expiry = min(self._next_expiry, expires_at)
        untimed = [name for name, membership in groups.items() if not membership.is_timed]
        for name in untimed[:-MAX_UNTIMED_GROUPS]:
            del groups[name]

    def remove(self, hub: str, user_id: str, group: str) -> None:
        """Take a user and its connections out of a group."""
        groups = self._groups.get((hub, user_id), {})
        groups.pop(group, None)
        if not groups:
            self._groups.pop((hub, user_id), None)
        self._leave(hub, user_id, group)

    def remove_from_all(self, hub: str, user_id: str) -> None:
        """Take a user and its connections out of every group."""
        self._groups.pop((hub, user_id), None)
        for connection_id in list(self._hubs.user(hub, user_id)):
            self._hubs.remove_from_all_groups(hub, connection_id)

    def contains(self, hub: str, user_id: str, group: str) -> bool:
        """Tell whether a user or one of its connections is in a group."""
        if group in self._groups.get((hub, user_id), {}):
            return True
        members = self._hubs.group(hub, group)
        return any(connection_id in members for connection_id in self._hubs.user(hub, user_id))

    def expire(self) -> None:
        """End the memberships whose time is over; to be called before groups are looked at."""
        now = self._clock.now()
        if now < self._next_expiry:
            return
        for (hub, user_id), groups in list(self._groups.items()):
            for group, membership in list(groups.items()):
                if membership.expires_at <= now:
                    self.remove(hub, user_id, group)
        self._next_expiry = min(
            (m.expires_at for groups in self._groups.values() for m in groups.values()),
            default=math.inf,
        )

    def clear(self) -> None:
        """Take every user out of every group; connections stay where they are."""
        self._groups.clear()
        self._next_expiry = math.inf

    def _join(self, member: Member) -> None:
        if member.user_id is None:
            return
        self.expire()
        for group in self._groups.get((member.hub, member.user_id), {}):
            self._hubs.add_to_group(member.hub, group, member.connection_id)

    def _leave(self, hub: str, user_id: str, group: str) -> None:
        for connection_id in list(self._hubs.user(hub, user_id)):
            self._hubs.remove_from_group(hub, group, connection_id)
