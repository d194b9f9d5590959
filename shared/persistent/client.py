"""A service client whose messages go by server connections."""

import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, Self, cast, overload

from ..aio import SignalRServiceClient, awaitable
from ..settings.token_origin import TokenOrigin
from .aio import PersistentSender

if TYPE_CHECKING:
    from ..base_client import BaseClient
    from ..endpoints.credentials import Credential
    from ..endpoints.router import Router
    from ..rest.members import GroupConnection
    from ..settings.endpoint import Endpoint

__all__ = ["PersistentServiceClient"]


class by_connection[**P, T](awaitable[P, T]):  # noqa: N801  used like a decorator
    """An operation of the service client that goes by a server connection.

    Args:
        method: A method of `PersistentSender`.
    """

    def __init__(
        self, method: Callable[Concatenate[PersistentSender, P], Coroutine[Any, Any, T]]
    ) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    @overload
    def __get__(self, client: None, owner: type[object]) -> Self: ...
    @overload
    def __get__(
        self, client: "BaseClient", owner: type[object]
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(
        self, client: "BaseClient | None", owner: type[object]
    ) -> Self | Callable[P, Coroutine[Any, Any, T]]:
        """Bind the operation to a client."""
        if client is None:
            return self
        return partial(self._method, cast("PersistentServiceClient", client).sender)


class PersistentServiceClient(SignalRServiceClient):
    """The awaitable service client, whose messages go by server connections.

    So do changes of groups, closings, and questions of who is connected. All else goes by the REST
    API: client tokens, sign-ins that are renewed, streams, clients' results, `execute`.

    Args:
        endpoints: The endpoint of the service, or several.
        credential: One for all endpoints, or one for each.
        router: Chooses the endpoint that a client is sent to.
        token_origin: Who makes client tokens.
        application: Name of the application whose hubs these are.
        message_tracing: Whether what is sent to a hub gets a name in the service's messaging logs.
        clock: Current time in epoch seconds.
    """

    sender: PersistentSender

    def __init__(
        self,
        endpoints: "str | Endpoint | Sequence[Endpoint]",
        credential: "Credential | Sequence[Credential]",
        *,
        router: "Router | None" = None,
        token_origin: TokenOrigin = TokenOrigin.ACCESS_KEY,
        application: str = "",
        message_tracing: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(
            endpoints,
            credential,
            router=router,
            token_origin=token_origin,
            application=application,
            message_tracing=message_tracing,
            clock=clock,
        )
        self._new_sender: Callable[[], PersistentSender] = partial(
            PersistentSender,
            endpoints,
            credential,
            application=application,
            message_tracing=message_tracing,
            clock=clock,
        )
        self.sender = self._new_sender()

    send_to_all = by_connection(PersistentSender.send_to_all)
    send_to_user = by_connection(PersistentSender.send_to_user)
    send_to_group = by_connection(PersistentSender.send_to_group)
    send_to_connection = by_connection(PersistentSender.send_to_connection)
    close_connection = by_connection(PersistentSender.close_connection)
    close_all_connections = by_connection(PersistentSender.close_all_connections)
    close_group_connections = by_connection(PersistentSender.close_group_connections)
    close_user_connections = by_connection(PersistentSender.close_user_connections)
    connection_exists = by_connection(PersistentSender.connection_exists)
    group_exists = by_connection(PersistentSender.group_exists)
    user_exists = by_connection(PersistentSender.user_exists)
    user_in_group = by_connection(PersistentSender.user_in_group)
    add_connection_to_group = by_connection(PersistentSender.add_connection_to_group)
    remove_connection_from_group = by_connection(PersistentSender.remove_connection_from_group)
    remove_connection_from_all_groups = by_connection(
        PersistentSender.remove_connection_from_all_groups
    )
    add_user_to_group = by_connection(PersistentSender.add_user_to_group)
    remove_user_from_group = by_connection(PersistentSender.remove_user_from_group)
    remove_user_from_all_groups = by_connection(PersistentSender.remove_user_from_all_groups)

    def list_connections_in_group(self, hub: str, group: str) -> "AsyncIterator[GroupConnection]":
        """Give the connections in a group, asking for page after page.

        Raises:
            SignalRError: As `send_to_all`, from the iteration.
        """
        return self.sender.list_connections_in_group(hub, group)

    def after_fork(self) -> None:
        """Make it usable in a child process, which opens server connections of its own."""
        super().after_fork()
        self.sender = self._new_sender()

    async def close(self) -> None:
        """Have the sockets take what was sent, and close what the service client has."""
        await self.sender.close()
        await super().close()
