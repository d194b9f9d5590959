"""What is sent to clients: messages that have no answer."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence

from ..errors import InvalidArgumentError
from ..service_protocol.messages import Message
from ..service_protocol.sends import (
    BroadcastData,
    GroupBroadcastData,
    MultiConnectionData,
    MultiGroupBroadcastData,
    MultiUserData,
    UserData,
)
from ..settings.names import check_excluded, check_name
from .payloads import payloads

__all__ = ["Messages"]


class Messages(ABC):
    """The operations that bring something to clients."""

    @abstractmethod
    async def _write(self, hub: str, message: Message, about: str) -> None:
        """Write a message to the socket of a connection at every endpoint.

        Args:
            hub: Name of the hub.
            message: The message.
            about: Whom it is for, which decides the connection.
        """

    async def send_to_all(
        self,
        hub: str,
        target: str,
        arguments: Sequence[object] = (),
        *,
        excluded: Collection[str] = (),
    ) -> None:
        """Send a message to every connection of a hub.

        It is done when the socket has taken the message. The protocol has no receipt for it.

        Args:
            hub: Name of the hub.
            target: Name of the client's handler.
            arguments: What the handler is called with: a list of anything that JSON can hold, of
                `Decimal`, bytes, times and dataclasses.
            excluded: Ids of connections that do not get it.

        Raises:
            InvalidArgumentError: A name or the message breaks a rule.
            ServiceUnavailableError: No server connection is up in time, it ended meanwhile, or
                the service asks for less.
            EndpointsError: Not all of several endpoints got it.
        """
        message = BroadcastData(
            excluded=check_excluded(excluded), payloads=payloads(target, arguments)
        )
        await self._write(hub, message, "")

    async def send_to_user(
        self, hub: str, user_id: str, target: str, arguments: Sequence[object] = ()
    ) -> None:
        """Send a message to every connection of a user; otherwise as `send_to_all`."""
        user = check_name("user_id", user_id)
        message = UserData(user_id=user, payloads=payloads(target, arguments))
        await self._write(hub, message, user)

    async def send_to_users(
        self, hub: str, user_ids: Collection[str], target: str, arguments: Sequence[object] = ()
    ) -> None:
        """Send one message to some users; otherwise as `send_to_all`."""
        users = _names("user_ids", user_ids)
        message = MultiUserData(user_ids=users, payloads=payloads(target, arguments))
        await self._write(hub, message, users[0])

    async def send_to_group(
        self,
        hub: str,
        group: str,
        target: str,
        arguments: Sequence[object] = (),
        *,
        excluded: Collection[str] = (),
    ) -> None:
        """Send a message to every connection in a group; otherwise as `send_to_all`."""
        name = check_name("group", group)
        message = GroupBroadcastData(
            group=name, excluded=check_excluded(excluded), payloads=payloads(target, arguments)
        )
        await self._write(hub, message, name)

    async def send_to_groups(
        self, hub: str, groups: Collection[str], target: str, arguments: Sequence[object] = ()
    ) -> None:
        """Send one message to some groups; otherwise as `send_to_all`."""
        names = _names("groups", groups)
        message = MultiGroupBroadcastData(groups=names, payloads=payloads(target, arguments))
        await self._write(hub, message, names[0])

    async def send_to_connection(
        self, hub: str, connection_id: str, target: str, arguments: Sequence[object] = ()
    ) -> None:
        """Send a message to one connection; otherwise as `send_to_all`."""
        connection = check_name("connection_id", connection_id)
        message = MultiConnectionData(
            connection_ids=[connection], payloads=payloads(target, arguments)
        )
        await self._write(hub, message, connection)

    async def send_to_connections(
        self,
        hub: str,
        connection_ids: Collection[str],
        target: str,
        arguments: Sequence[object] = (),
    ) -> None:
        """Send one message to some connections; otherwise as `send_to_all`."""
        ids = _names("connection_ids", connection_ids)
        message = MultiConnectionData(connection_ids=ids, payloads=payloads(target, arguments))
        await self._write(hub, message, ids[0])


def _names(argument: str, names: Collection[str]) -> list[str]:
    """Return the names of recipients.

    Raises:
        InvalidArgumentError: There is none, or one breaks a rule.
    """
    if isinstance(names, str):
        raise InvalidArgumentError(argument, f"is a text; a list of names is [{names!r}]")
    if not names:
        raise InvalidArgumentError(argument, "must name one")
    return [check_name(argument, each) for each in names]
