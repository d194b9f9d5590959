"""Who is connected, and who receives a message.

A hub indexes its connections by id, user and group, so that finding the recipients of a message
costs as much as there are recipients, however many others are connected.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Protocol

from ..protocols.messages import Completion, Message
from ..protocols.supported import HubProtocol, Written
from ..transports.outgoing import Outgoing
from ..transports.sink import Form, Sink

__all__ = [
    "Hub",
    "Hubs",
    "Member",
    "count_unserved",
    "deliver",
    "deliver_counted",
    "deliver_to",
    "disconnect",
    "united",
]


class Member(Protocol):
    """What a hub needs to know of a connected client."""

    @property
    def connection_id(self) -> str:
        """Id that is unique within the service."""

    @property
    def hub(self) -> str:
        """Name of the hub, in lower case."""

    @property
    def user_id(self) -> str | None:
        """Who the client is, or None for an anonymous one."""

    @property
    def protocol(self) -> HubProtocol:
        """What the client speaks."""

    @property
    def form(self) -> Form:
        """The form of messages that go to many clients, the same object for all that share it."""

    @property
    def sink(self) -> Sink:
        """Takes messages that go to many clients; never changes the hub."""

    def disconnect(self, error: str | None, *, allow_reconnect: bool) -> None:
        """End the connection, which leaves the hub at once, and tell the client why."""

    def send(self, message: Message) -> None:
        """Send a message to this client alone, for instance the completion of a stream."""

    async def invoke(self, message: Outgoing, timeout: float) -> Completion:  # noqa: ASYNC109 - the result's limit, not the caller's
        """Call a method of the client and wait for its completion, `timeout` seconds at most.

        Args:
            message: The invocation; it gets an invocation id for this client.
            timeout: How long to wait, in seconds.

        Raises:
            ClientResultError: There is no result.
        """


type Members = dict[str, Member]

_NOBODY: Mapping[str, Member] = {}
_NO_GROUPS: AbstractSet[str] = frozenset()


@dataclass(slots=True)
class Hub:
    """The connections of one hub."""

    connections: Members = field(default_factory=dict)
    users: defaultdict[str, Members] = field(default_factory=lambda: defaultdict(dict))
    groups: defaultdict[str, Members] = field(default_factory=lambda: defaultdict(dict))
    memberships: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


class Hubs:
    """Every hub of the service. A hub exists as long as it has connections."""

    def __init__(self) -> None:
        self._hubs: defaultdict[str, Hub] = defaultdict(Hub)
        self._watchers: list[Callable[[Member], None]] = []

    def watch(self, added: Callable[[Member], None]) -> None:
        """Have a function called with every client that becomes reachable."""
        self._watchers.append(added)

    def add(self, member: Member) -> None:
        """Make a client reachable."""
        hub = self._hubs[member.hub]
        hub.connections[member.connection_id] = member
        if member.user_id is not None:
            hub.users[member.user_id][member.connection_id] = member
        for added in self._watchers:
            added(member)

    def remove(self, member: Member) -> None:
        """Forget a client and its memberships; one that is not there is no error."""
        hub = self._hubs.get(member.hub)
        if hub is None or hub.connections.pop(member.connection_id, None) is None:
            return
        if member.user_id is not None:
            _discard(hub.users, member.user_id, member.connection_id)
        for group in hub.memberships.pop(member.connection_id, set()):
            _discard(hub.groups, group, member.connection_id)
        if not hub.connections:
            del self._hubs[member.hub]

    def add_to_group(self, hub: str, group: str, connection_id: str) -> bool:
        """Put a connection into a group; gives False if there is no such connection."""
        member = self.connection(hub, connection_id).get(connection_id)
        if member is None:
            return False
        self._hubs[hub].groups[group][connection_id] = member
        self._hubs[hub].memberships[connection_id].add(group)
        return True

    def remove_from_group(self, hub: str, group: str, connection_id: str) -> None:
        """Take a connection out of a group; one that is not there is no error."""
        if not self.connection(hub, connection_id):
            return
        _discard(self._hubs[hub].groups, group, connection_id)
        self._hubs[hub].memberships[connection_id].discard(group)

    def remove_from_all_groups(self, hub: str, connection_id: str) -> None:
        """Take a connection out of its groups; one that is not there is no error."""
        for group in list(self.groups_of(hub, connection_id)):
            self.remove_from_group(hub, group, connection_id)

    def groups_of(self, hub: str, connection_id: str) -> AbstractSet[str]:
        """Give the groups that a connection is in."""
        found = self._hubs.get(hub)
        return found.memberships.get(connection_id, _NO_GROUPS) if found else _NO_GROUPS

    def everyone(self, hub: str) -> Mapping[str, Member]:
        """Give the connections of a hub by their id."""
        found = self._hubs.get(hub)
        return found.connections if found else _NOBODY

    def user(self, hub: str, user_id: str) -> Mapping[str, Member]:
        """Give the connections of a user by their id."""
        found = self._hubs.get(hub)
        return found.users.get(user_id, _NOBODY) if found else _NOBODY

    def group(self, hub: str, group: str) -> Mapping[str, Member]:
        """Give the connections in a group by their id."""
        found = self._hubs.get(hub)
        return found.groups.get(group, _NOBODY) if found else _NOBODY

    def connection(self, hub: str, connection_id: str) -> Mapping[str, Member]:
        """Give the one connection with this id, or nothing."""
        member = self.everyone(hub).get(connection_id)
        return _NOBODY if member is None else {connection_id: member}

    def by_name(self) -> list[tuple[str, Hub]]:
        """Give every hub that has a connection, in the order of their names."""
        return sorted(self._hubs.items())

    def connection_counts(self) -> dict[str, int]:
        """Give the number of connections of every hub that has one, by its name."""
        return {name: len(hub.connections) for name, hub in self._hubs.items()}

    def members(self) -> Iterable[Member]:
        """Give every connected client of every hub, as it is now."""
        return [m for hub in self._hubs.values() for m in hub.connections.values()]


def deliver(
    message: Outgoing, recipients: Mapping[str, Member], excluded: AbstractSet[str] = frozenset()
) -> None:
    """Send a message to recipients.

    Args:
        message: What they receive.
        recipients: Who receives it, by connection id.
        excluded: Connection ids that are left out.
    """
    if excluded:
        chosen = [member for name, member in recipients.items() if name not in excluded]
        deliver_to(chosen, message)
    else:
        deliver_to(recipients.values(), message)


def deliver_to(members: Iterable[Member], message: Outgoing) -> None:
    """Send a message to some clients; `deliver` finds them by their connection ids."""
    form, data, length = None, b"", 0
    for member in members:
        if member.form is not form:
            form = member.form
            data = form(message)
            length = len(data)
        sink = member.sink
        # This is done for one recipient of thousands, and so without a call in between.
        try:
            dealt_with = sink.way.send(data)
        except OSError:
            dealt_with = 0
        if dealt_with != length:
            sink.put_rest(data, dealt_with)


def deliver_counted(
    written: Written, recipients: Mapping[str, Member], excluded: AbstractSet[str]
) -> tuple[int, int]:
    """Send a message to recipients as `deliver`.

    Args:
        written: Gives the message in a hub protocol.
        recipients: Who receives it, by connection id.
        excluded: Connection ids that are left out.

    Returns:
        How many got it, and how many did not since it is not in their hub protocol.
    """
    if not recipients:
        return 0, 0
    message = Outgoing(written)
    deliver(message, recipients, excluded)
    unserved = count_unserved(message, recipients, excluded)
    left_out = sum(1 for each in excluded if each in recipients)
    return len(recipients) - left_out - unserved, unserved


def united(found: Sequence[Mapping[str, Member]]) -> Mapping[str, Member]:
    """Give all of several recipients, each once."""
    if len(found) == 1:
        return found[0]
    return {connection_id: member for each in found for connection_id, member in each.items()}


def disconnect(
    members: Mapping[str, Member], reason: str | None, excluded: Collection[str] = ()
) -> None:
    """End connections, which may try again.

    Args:
        members: Whose they are, by connection id.
        reason: What they are told, or None.
        excluded: Connection ids that are left out.
    """
    for connection_id, member in list(members.items()):
        if connection_id not in excluded:
            member.disconnect(reason, allow_reconnect=True)


def count_unserved(
    message: Outgoing, recipients: Mapping[str, Member], excluded: AbstractSet[str]
) -> int:
    """Count the recipients that got nothing, since the message is not in their hub protocol.

    Args:
        message: What was delivered.
        recipients: As for `deliver`.
        excluded: As for `deliver`.
    """
    if not message.unwritten:
        return 0
    return sum(
        member.protocol in message.unwritten
        for connection_id, member in recipients.items()
        if connection_id not in excluded
    )


def _discard(index: dict[str, Members], name: str, connection_id: str) -> None:
    members = index.get(name)
    if members is None:
        return
    members.pop(connection_id, None)
    if not members:
        del index[name]
