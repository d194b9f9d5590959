"""An awaitable client of Azure SignalR Service: `shared.client` for an event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Self, overload

from .base_client import DEFAULT_LIFETIME, BaseClient, EndpointOperation, token_request
from .endpoints.endpoint import ClientAccess
from .keys.client_token import Claims
from .transport.flow import run_async

if TYPE_CHECKING:
    from .keys.connection_options import ConnectionOptions
    from .rest.members import GroupConnection

__all__ = ["SignalRServiceClient"]


class awaitable[**P, T](EndpointOperation[P, T]):  # noqa: N801  used like a decorator
    """A coroutine method that runs the flow of an operation on the event loop."""

    @overload
    def __get__(self, client: None, owner: type[object]) -> Self: ...
    @overload
    def __get__(
        self, client: BaseClient, owner: type[object]
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(
        self, client: BaseClient | None, owner: type[object]
    ) -> Self | Callable[P, Coroutine[Any, Any, T]]:
        """Bind the operation to a client."""
        if client is None:
            return self

        async def call(*args: P.args, **kwargs: P.kwargs) -> T:
            return await run_async(self.flow(client, *args, **kwargs), client.driver.perform_async)

        return call


class SignalRServiceClient(BaseClient):
    """An awaitable client of Azure SignalR Service, for one event loop.

    With several endpoints every operation goes to all of them at once. `EndpointsError` says which
    of them failed and which did it.
    """

    send_to_all = awaitable(lambda rest: rest.send_to_all)
    send_to_user = awaitable(lambda rest: rest.send_to_user)
    send_to_group = awaitable(lambda rest: rest.send_to_group)
    send_to_connection = awaitable(lambda rest: rest.send_to_connection)
    invoke_connection = awaitable(lambda rest: rest.invoke_connection, "one")
    send_stream_item = awaitable(lambda rest: rest.send_stream_item, "one")
    complete_stream = awaitable(lambda rest: rest.complete_stream, "one")
    execute = awaitable(lambda rest: rest.execute)
    close_connection = awaitable(lambda rest: rest.close_connection)
    close_all_connections = awaitable(lambda rest: rest.close_all_connections)
    close_group_connections = awaitable(lambda rest: rest.close_group_connections)
    close_user_connections = awaitable(lambda rest: rest.close_user_connections)
    connection_exists = awaitable(lambda rest: rest.connection_exists, "any")
    group_exists = awaitable(lambda rest: rest.group_exists, "any")
    user_exists = awaitable(lambda rest: rest.user_exists, "any")
    user_in_group = awaitable(lambda rest: rest.user_in_group, "any")
    add_connection_to_group = awaitable(lambda rest: rest.add_connection_to_group, "one")
    remove_connection_from_group = awaitable(lambda rest: rest.remove_connection_from_group)
    remove_connection_from_all_groups = awaitable(
        lambda rest: rest.remove_connection_from_all_groups
    )
    add_user_to_group = awaitable(lambda rest: rest.add_user_to_group)
    remove_user_from_group = awaitable(lambda rest: rest.remove_user_from_group)
    remove_user_from_all_groups = awaitable(lambda rest: rest.remove_user_from_all_groups)
    connection_claims = awaitable(lambda rest: rest.connection_claims, "only")
    service_is_healthy = awaitable(lambda rest: rest.service_is_healthy, "any")

    async def list_connections_in_group(
        self, hub: str, group: str
    ) -> "AsyncIterator[GroupConnection]":
        """Give the connections in a group, asking for page after page.

        Raises:
            SignalRError: As `send_to_all`, from the iteration.
        """
        for rest in self.rest_apis:
            for page in rest.connection_pages(hub, group):
                for connection in await run_async(page, self.driver.perform_async):
                    yield connection

    async def get_client_access_token(
        self,
        hub: str,
        *,
        user_id: str | None = None,
        claims: Claims | None = None,
        minutes_to_expire: float = DEFAULT_LIFETIME,
        options: "ConnectionOptions | None" = None,
    ) -> ClientAccess:
        """Return the address and the token with which one client may connect to a hub.

        With a key at hand it signs at once, without suspending. Arguments and errors are those of
        the blocking client.
        """
        request = token_request(hub, user_id, claims, minutes_to_expire, options)
        access = self.negotiation.at_once(request)
        if access is not None:
            return access
        return await run_async(self.negotiation.access(request), self.driver.perform_async)

    async def refresh_connection_authentication(
        self,
        hub: str,
        connection_token: str,
        *,
        expires_on: float | None = None,
        claims: Claims | None = None,
        user_id: str | None = None,
        options: "ConnectionOptions | None" = None,
        minutes_to_expire: float = DEFAULT_LIFETIME,
    ) -> ClientAccess:
        """Renew the authentication of a connection: its claims, its end, and the client's token.

        Arguments and errors are those of the blocking client.
        """
        token = token_request(hub, user_id, claims, minutes_to_expire, options)
        refresh = self.refresh(connection_token, expires_on, token)
        return await run_async(refresh, self.driver.perform_async)

    async def close(self) -> None:
        """Stop the rotation of the access key and close threads and connections."""
        await asyncio.to_thread(self._close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
