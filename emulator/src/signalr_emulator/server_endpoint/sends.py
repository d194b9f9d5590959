"""What servers send to clients."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress

from ..clients.hubs import Hubs, Member, deliver_counted, united
from ..clock import Clock
from ..errors import InvalidRequestError, ProtocolError
from ..protocols.supported import PROTOCOLS, HubProtocol, Written
from ..server_connections.live import ServerConnection
from ..service_protocol.fields import Pairs
from ..service_protocol.sends import (
    BroadcastData,
    GroupBroadcastData,
    MultiConnectionData,
    MultiGroupBroadcastData,
    MultiUserData,
    UserData,
)
from ..state.journal import Journal, Recipients, SentMessage
from .answers import Handlers

__all__ = ["SendHandlers", "as_written"]

type _Data = (
    BroadcastData
    | GroupBroadcastData
    | MultiConnectionData
    | MultiGroupBroadcastData
    | MultiUserData
    | UserData
)

_NOBODY: frozenset[str] = frozenset()


class SendHandlers:
    """Delivers the messages of servers.

    Args:
        hubs: Who receives them.
        resource: Name of the SignalR resource.
        journal: Keeps the last of them.
        clock: Tells when they came.
    """

    def __init__(self, hubs: Hubs, resource: str, journal: Journal, clock: Clock) -> None:
        self._hubs = hubs
        self._resource = resource
        self._journal = journal
        self._clock = clock

    def handlers(self) -> Handlers:
        """Give what carries out each message."""
        return {
            BroadcastData: self._to_all,
            MultiConnectionData: self._to_connections,
            UserData: self._to_user,
            MultiUserData: self._to_users,
            GroupBroadcastData: self._to_group,
            MultiGroupBroadcastData: self._to_groups,
        }

    def _to_all(self, server: ServerConnection, data: BroadcastData) -> None:
        everyone = self._hubs.everyone(server.hub)
        recipients = Recipients("all", excluded=data.excluded)
        self._send(server, data, recipients, everyone, frozenset(data.excluded))

    def _to_connections(self, server: ServerConnection, data: MultiConnectionData) -> None:
        ids = data.connection_ids
        found = [self._hubs.connection(server.hub, each) for each in ids]
        self._send(server, data, Recipients("connection", ids), united(found))

    def _to_user(self, server: ServerConnection, data: UserData) -> None:
        found = self._hubs.user(server.hub, data.user_id)
        self._send(server, data, Recipients("user", (data.user_id,)), found)

    def _to_users(self, server: ServerConnection, data: MultiUserData) -> None:
        found = [self._hubs.user(server.hub, each) for each in data.user_ids]
        self._send(server, data, Recipients("user", data.user_ids), united(found))

    def _to_group(self, server: ServerConnection, data: GroupBroadcastData) -> None:
        found = self._hubs.group(server.hub, data.group)
        excluded = {*data.excluded}
        for user_id in data.excluded_users:
            # Not `|=`, which copies all of it for keys of a dictionary.
            excluded.update(self._hubs.user(server.hub, user_id))
        recipients = Recipients("group", (data.group,), data.excluded, data.excluded_users)
        self._send(server, data, recipients, found, excluded)

    def _to_groups(self, server: ServerConnection, data: MultiGroupBroadcastData) -> None:
        found = [self._hubs.group(server.hub, each) for each in data.groups]
        self._send(server, data, Recipients("group", data.groups), united(found))

    def _send(
        self,
        server: ServerConnection,
        data: _Data,
        recipients: Recipients,
        members: Mapping[str, Member],
        excluded: AbstractSet[str] = _NOBODY,
    ) -> None:
        if data.subscriber_filter:
            # Nothing says how it is written: without it, too many would receive the message.
            raise InvalidRequestError("Filters of subscribers are not supported here.")
        written = as_written(data.payloads)
        served, unserved = deliver_counted(written, members, excluded)
        message = SentMessage(
            time=self._clock.now(),
            resource=self._resource,
            sender="server",
            hub=server.hub,
            recipients=recipients,
            target=_target(data.payloads),
            connections=served,
            unserved=unserved,
            tracing_id=None if data.tracing_id is None else str(data.tracing_id),
            written=written,
            written_size=sum(len(payload) for _, payload in data.payloads),
        )
        self._journal.sent(message)
        self._journal.happened(message)


def as_written(payloads: Pairs[bytes]) -> Written:
    """Give a message as a server has written it, in each of its hub protocols.

    Args:
        payloads: The message with its framing, by names of protocols, whose case does not count.
    """
    by_name = {name.lower(): data for name, data in payloads}

    def written(protocol: HubProtocol) -> bytes:
        return by_name.get(protocol.name.lower(), b"")

    return written


def _target(payloads: Pairs[bytes]) -> str:
    """Give the name of the clients' handler, if it can be read."""
    for name, data in payloads:
        protocol = PROTOCOLS.get(name.lower())
        if protocol is not None:
            with suppress(ProtocolError):
                return protocol.open_envelope(data).target or ""
    return ""
