"""Which groups users are in, apart from their connections: a later connection joins them too.

Source: swagger of the REST data plane, 2022-06-01 (description of `ttl`): without a time a user
stays for a year at most, and only the 100 groups that were updated last are kept.
"""

import heapq
from dataclasses import dataclass, field

from ..clock import Clock
from .hubs import Hubs, Member

__all__ = ["LONGEST_STAY", "MAX_UNTIMED_GROUPS", "UserGroups"]

LONGEST_STAY = 365 * 24 * 3600
"""How long a user stays in a group without a time of its own, in seconds."""

MAX_UNTIMED_GROUPS = 100
"""How many groups without a time are kept for a user."""


_FEWEST_ENDS = 1_000
"""So many planned ends are never looked through for those that have become void."""

type _User = tuple[str, str]
"""Hub and user id."""

type _Groups = dict[str, float]
"""When the membership of each group ends, by the emulator's clock."""


@dataclass(slots=True)
class _Memberships:
    """The groups of one user.

    Attributes:
        timed: Those with a time of their own.
        untimed: Those without, in the order of their updates.
    """

    timed: _Groups = field(default_factory=dict)
    untimed: _Groups = field(default_factory=dict)

    def __contains__(self, group: str) -> bool:
        return group in self.timed or group in self.untimed

    def ends_at(self, group: str) -> float | None:
        """Tell when a membership ends; None if there is none."""
        return self.timed.get(group, self.untimed.get(group))

    def discard(self, group: str) -> None:
        """Forget a group; one that is not there is no error."""
        self.timed.pop(group, None)
        self.untimed.pop(group, None)


class UserGroups:
    """The groups of the users of one resource.

    Args:
        hubs: Whose connections join and leave with their users.
        clock: Tells when a membership ends.
    """

    def __init__(self, hubs: Hubs, clock: Clock) -> None:
        self._hubs = hubs
        self._clock = clock
        self._memberships: dict[_User, _Memberships] = {}
        # A heap, so that a request costs as much as there are memberships that end with it. An end
        # whose membership was renewed or left is void.
        self._ends: list[tuple[float, _User, str]] = []
        self._most_ends = _FEWEST_ENDS
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
        user = (hub, user_id)
        memberships = self._memberships.get(user)
        if memberships is None:
            memberships = self._memberships[user] = _Memberships()
        # Taken out first, so that the order of the groups is that of their updates.
        memberships.discard(group)
        ends_at = self._clock.now() + (LONGEST_STAY if ttl is None else ttl)
        groups = memberships.untimed if ttl is None else memberships.timed
        groups[group] = ends_at
        if len(memberships.untimed) > MAX_UNTIMED_GROUPS:
            del memberships.untimed[next(iter(memberships.untimed))]
        self._plan_end(ends_at, user, group)

    def remove(self, hub: str, user_id: str, group: str) -> None:
        """Take a user and its connections out of a group."""
        user = (hub, user_id)
        memberships = self._memberships.get(user)
        if memberships is not None:
            memberships.discard(group)
            if not (memberships.timed or memberships.untimed):
                del self._memberships[user]
        self._leave(hub, user_id, group)

    def remove_from_all(self, hub: str, user_id: str) -> None:
        """Take a user and its connections out of every group."""
        self._memberships.pop((hub, user_id), None)
        for connection_id in list(self._hubs.user(hub, user_id)):
            self._hubs.remove_from_all_groups(hub, connection_id)

    def contains(self, hub: str, user_id: str, group: str) -> bool:
        """Tell whether a user or one of its connections is in a group."""
        memberships = self._memberships.get((hub, user_id))
        if memberships is not None and group in memberships:
            return True
        members = self._hubs.group(hub, group)
        return any(connection_id in members for connection_id in self._hubs.user(hub, user_id))

    def expire(self) -> None:
        """End the memberships whose time is over; to be called before groups are looked at."""
        now = self._clock.now()
        while self._ends and self._ends[0][0] <= now:
            ends_at, user, group = heapq.heappop(self._ends)
            if self._is_planned(ends_at, user, group):
                self.remove(*user, group)

    def clear(self) -> None:
        """Take every user out of every group; connections stay where they are."""
        self._memberships.clear()
        self._ends.clear()

    def _plan_end(self, ends_at: float, user: _User, group: str) -> None:
        heapq.heappush(self._ends, (ends_at, user, group))
        if len(self._ends) <= self._most_ends:
            return
        # Half of them may be void before they are looked through again.
        self._ends = [end for end in self._ends if self._is_planned(*end)]
        heapq.heapify(self._ends)
        self._most_ends = max(_FEWEST_ENDS, 2 * len(self._ends))

    def _is_planned(self, ends_at: float, user: _User, group: str) -> bool:
        memberships = self._memberships.get(user)
        return memberships is not None and memberships.ends_at(group) == ends_at

    def _join(self, member: Member) -> None:
        if member.user_id is None:
            return
        self.expire()
        memberships = self._memberships.get((member.hub, member.user_id))
        if memberships is None:
            return
        for group in (*memberships.untimed, *memberships.timed):
            self._hubs.add_to_group(member.hub, group, member.connection_id)

    def _leave(self, hub: str, user_id: str, group: str) -> None:
        for connection_id in list(self._hubs.user(hub, user_id)):
            self._hubs.remove_from_group(hub, group, connection_id)
