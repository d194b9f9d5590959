"""A client of Azure SignalR Service that blocks; `shared.aio` has the awaitable one."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Self, overload

from .base_client import DEFAULT_LIFETIME, BaseClient, EndpointOperation, token_request
from .endpoints.endpoint import ClientAccess
from .keys.client_token import Claims
from .transport.flow import run

if TYPE_CHECKING:
    from .keys.connection_options import ConnectionOptions
    from .rest.members import GroupConnection

__all__ = ["SignalRServiceClient"]


class blocking[**P, T](EndpointOperation[P, T]):  # noqa: N801  used like a decorator
    """A method that runs the flow of an operation in the calling thread."""

    @overload
    def __get__(self, client: None, owner: type[object]) -> Self: ...
    @overload
    def __get__(self, client: BaseClient, owner: type[object]) -> Callable[P, T]: ...
    def __get__(self, client: BaseClient | None, owner: type[object]) -> Self | Callable[P, T]:
        """Bind the operation to a client."""
        if client is None:
            return self

        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            return run(self.flow(client, *args, **kwargs), client.driver.perform)

        return call


class SignalRServiceClient(BaseClient):
    """A blocking client of Azure SignalR Service. Threads may share it.

    With several endpoints every operation goes to all of them at once. `EndpointsError` says which
    of them failed and which did it.

    >>> from azure.identity import DefaultAzureCredential
    >>> with SignalRServiceClient(
    ...     "https://contoso.service.signalr.net", DefaultAzureCredential()
    ... ) as service:  # doctest: +SKIP
    ...     service.send_to_user("chat", "ann", "newMessage", ["Hello"])
    """

    send_to_all = blocking(lambda rest: rest.send_to_all)
    send_to_user = blocking(lambda rest: rest.send_to_user)
    send_to_group = blocking(lambda rest: rest.send_to_group)
    send_to_connection = blocking(lambda rest: rest.send_to_connection)
    invoke_connection = blocking(lambda rest: rest.invoke_connection, "one")
    send_stream_item = blocking(lambda rest: rest.send_stream_item, "one")
    complete_stream = blocking(lambda rest: rest.complete_stream, "one")
    execute = blocking(lambda rest: rest.execute)
    close_connection = blocking(lambda rest: rest.close_connection)
    close_all_connections = blocking(lambda rest: rest.close_all_connections)
    close_group_connections = blocking(lambda rest: rest.close_group_connections)
    close_user_connections = blocking(lambda rest: rest.close_user_connections)
    connection_exists = blocking(lambda rest: rest.connection_exists, "any")
    group_exists = blocking(lambda rest: rest.group_exists, "any")
    user_exists = blocking(lambda rest: rest.user_exists, "any")
    user_in_group = blocking(lambda rest: rest.user_in_group, "any")
    add_connection_to_group = blocking(lambda rest: rest.add_connection_to_group, "one")
    remove_connection_from_group = blocking(lambda rest: rest.remove_connection_from_group)
    remove_connection_from_all_groups = blocking(
        lambda rest: rest.remove_connection_from_all_groups
    )
    add_user_to_group = blocking(lambda rest: rest.add_user_to_group)
    remove_user_from_group = blocking(lambda rest: rest.remove_user_from_group)
    remove_user_from_all_groups = blocking(lambda rest: rest.remove_user_from_all_groups)
    connection_claims = blocking(lambda rest: rest.connection_claims, "only")
    service_is_healthy = blocking(lambda rest: rest.service_is_healthy, "any")

    def list_connections_in_group(self, hub: str, group: str) -> "Iterator[GroupConnection]":
        """Give the connections in a group, asking for page after page.

        Raises:
            SignalRError: As `send_to_all`, from the iteration.
        """
        for rest in self.rest_apis:
            for page in rest.connection_pages(hub, group):
                yield from run(page, self.driver.perform)

    def get_client_access_token(
        self,
        hub: str,
        *,
        user_id: str | None = None,
        claims: Claims | None = None,
        minutes_to_expire: float = DEFAULT_LIFETIME,
        options: "ConnectionOptions | None" = None,
    ) -> ClientAccess:
        """Return the address and the token with which one client may connect to a hub.

        Args:
            hub: Name of the hub.
            user_id: The user that the connection belongs to, or `None` for an anonymous one. With
                several endpoints all connections of a user meet at one.
            claims: More claims for the token.
            minutes_to_expire: Minutes for which the client may connect; never longer than the
                access key lives.
            options: How the service treats the connection.

        Raises:
            InvalidArgumentError: The hub's name, the user id or a claim breaks a rule.
            TokenTooLargeError: The claims do not fit in a token.
            ServiceUnavailableError: There is no access key; the cause says why.
            EndpointsError: None of several endpoints gives an access key.
        """
        request = token_request(hub, user_id, claims, minutes_to_expire, options)
        access = self.negotiation.at_once(request)
        if access is not None:
            return access
        return run(self.negotiation.access(request), self.driver.perform)

    def refresh_connection_authentication(
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

        The connection goes on as it is; so it does after an error.

        Args:
            hub: Name of the hub.
            connection_token: The connection's secret token, which the client has from the service's
                own negotiation and sends as `X-SignalR-Connection-Token`.
            expires_on: When the user's own session ends, in epoch seconds; `None` if it does not.
                The service closes the connection then if it was opened with
                `ConnectionOptions.close_at`.
            claims: What the claims are from now on, in place of all that the connection had; `None`
                leaves them.
            user_id: With claims: the user of the connection, who never changes; `None` for an
                anonymous one.
            options: With claims: how the service treats the connection.
            minutes_to_expire: Minutes for which the client may connect with its new token; never
                longer than the session or the access key lasts.

        Returns:
            The client's next token, with the claims that hold now.

        Raises:
            InvalidArgumentError: The hub's name, the user id or a claim breaks a rule, the token is
                empty, or `expires_on` is past.
            TokenTooLargeError: The claims do not fit in a token.
            ConnectionNotFoundError: No connection of the hub has this token.
            ConnectionUserMismatchError: The connection belongs to another user.
            ServiceError: The service fails, or there is no access key; the cause says why.
        """
        token = token_request(hub, user_id, claims, minutes_to_expire, options)
        return run(self.refresh(connection_token, expires_on, token), self.driver.perform)

    def close(self) -> None:
        """Stop the rotation of the access key and close the connections."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
