"""A client of Azure SignalR Service that blocks; `shared.aio` has the awaitable one."""

import functools
import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Concatenate, Final, Self, overload

from shared.access_key import AccessKey
from shared.client_token import ClaimValue, ClientToken, sign_client_token
from shared.credential import CredentialSettings, EntraTokens, open_credential
from shared.endpoint import Endpoint
from shared.flow import Answer, Flow, GetToken, Request, Step, Wait, run
from shared.names import check_hub
from shared.rest import GroupConnection, RestApi
from shared.retry import RetryPolicy
from shared.rotation import AccessKeyRotation
from shared.transport import Transport

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

__all__ = ["KEY_TIMEOUT", "SignalRServiceClient"]

DEFAULT_LIFETIME: Final = 60.0
"""Minutes for which a client may connect with its token: the default of the service's SDKs."""

KEY_TIMEOUT: Final = 10.0
"""Seconds that a caller waits for the first access key."""


class BaseClient:
    """What the blocking and the awaitable client have in common.

    Args:
        endpoint: The service instance, or its URL.
        credential: A credential of azure-identity, or settings to make one from at first need.
        policy: Bounds of repetition.
        clock: Current time in epoch seconds.
    """

    def __init__(
        self,
        endpoint: Endpoint | str,
        credential: "TokenCredential | CredentialSettings",
        *,
        policy: RetryPolicy | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.endpoint = Endpoint(endpoint.rstrip("/")) if isinstance(endpoint, str) else endpoint
        self.rest = RestApi(self.endpoint, policy=policy, clock=clock)
        self._clock = clock
        self._transport = Transport()
        self._tokens = EntraTokens(functools.partial(_opened, credential), clock=clock)
        self._keys = AccessKeyRotation(self._fetch_key, clock=clock)
        # Checked and built once for each hub, since every client token needs it.
        self._audience = functools.lru_cache(maxsize=128)(self._client_audience)

    @property
    def degraded(self) -> bool:
        """Whether the last attempt to get an access key failed."""
        return self._keys.degraded

    def client_url(self, hub: str) -> str:
        """Return the URL that clients of a hub connect to.

        Raises:
            InvalidArgumentError: The hub's name breaks the service's rule.
        """
        return self.endpoint.client_hub_url(check_hub(hub))

    def _client_audience(self, hub: str) -> str:
        return self.endpoint.client_audience(check_hub(hub))

    def _fetch_key(self) -> AccessKey:
        return run(self.rest.access_key(), self.perform)

    def perform(self, step: Step) -> Answer:
        """Do one step of a conversation, blocking."""
        match step:
            case GetToken():
                return self._tokens.get()
            case Request():
                return self._transport.send(step)
            case Wait(seconds):
                time.sleep(seconds)
                return None

    def _close(self) -> None:
        self._keys.close()
        self._transport.close()


class blocking[**P, T]:  # noqa: N801  used like a decorator
    """A method that holds the conversation of an operation in the calling thread."""

    def __init__(self, operation: Callable[Concatenate[RestApi, P], Flow[T]]) -> None:
        self._operation = operation
        self.__doc__ = operation.__doc__

    @overload
    def __get__(self, client: None, owner: type[object]) -> Self: ...
    @overload
    def __get__(self, client: BaseClient, owner: type[object]) -> Callable[P, T]: ...
    def __get__(self, client: BaseClient | None, owner: type[object]) -> Self | Callable[P, T]:
        """Bind the operation to a client."""
        if client is None:
            return self

        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            return run(self._operation(client.rest, *args, **kwargs), client.perform)

        return call


class SignalRServiceClient(BaseClient):
    """A blocking client of one Azure SignalR Service instance. Threads may share it.

    >>> from azure.identity import DefaultAzureCredential
    >>> with SignalRServiceClient(
    ...     "https://contoso.service.signalr.net", DefaultAzureCredential()
    ... ) as service:  # doctest: +SKIP
    ...     service.send_to_user("chat", "ann", "newMessage", ["Hello"])
    """

    send_to_all = blocking(RestApi.send_to_all)
    send_to_user = blocking(RestApi.send_to_user)
    send_to_group = blocking(RestApi.send_to_group)
    send_to_connection = blocking(RestApi.send_to_connection)
    invoke_connection = blocking(RestApi.invoke_connection)
    send_stream_item = blocking(RestApi.send_stream_item)
    complete_stream = blocking(RestApi.complete_stream)
    execute = blocking(RestApi.execute)
    close_connection = blocking(RestApi.close_connection)
    close_all_connections = blocking(RestApi.close_all_connections)
    close_group_connections = blocking(RestApi.close_group_connections)
    close_user_connections = blocking(RestApi.close_user_connections)
    connection_exists = blocking(RestApi.connection_exists)
    group_exists = blocking(RestApi.group_exists)
    user_exists = blocking(RestApi.user_exists)
    user_in_group = blocking(RestApi.user_in_group)
    add_connection_to_group = blocking(RestApi.add_connection_to_group)
    remove_connection_from_group = blocking(RestApi.remove_connection_from_group)
    remove_connection_from_all_groups = blocking(RestApi.remove_connection_from_all_groups)
    add_user_to_group = blocking(RestApi.add_user_to_group)
    remove_user_from_group = blocking(RestApi.remove_user_from_group)
    remove_user_from_all_groups = blocking(RestApi.remove_user_from_all_groups)
    generate_client_token = blocking(RestApi.generate_client_token)
    service_is_healthy = blocking(RestApi.service_is_healthy)

    def list_connections_in_group(self, hub: str, group: str) -> Iterator[GroupConnection]:
        """Give the connections in a group, asking for page after page.

        Raises:
            SignalRError: As `send_to_all`, from the iteration.
        """
        page = None
        while page is None or page.next_link:
            next_link = page.next_link if page else None
            page = run(self.rest.connection_page(hub, group, next_link=next_link), self.perform)
            yield from page.connections

    def get_client_access_token(
        self,
        hub: str,
        *,
        user_id: str | None = None,
        claims: Mapping[str, ClaimValue] | None = None,
        minutes_to_expire: float = DEFAULT_LIFETIME,
    ) -> ClientToken:
        """Return a token with which one client may connect to a hub.

        Args:
            hub: Name of the hub.
            user_id: The user that the connection belongs to, or `None` for an anonymous one.
            claims: More claims for the token.
            minutes_to_expire: Minutes for which the client may connect; never longer than the
                access key lives.

        Raises:
            InvalidArgumentError: The hub's name or a claim breaks a rule.
            TokenTooLargeError: The claims do not fit in a token.
            ServiceUnavailableError: There is no access key; the cause says why.
        """
        now = self._clock()
        key = self._keys.current(now) or self._keys.get(KEY_TIMEOUT)
        return sign_client_token(
            key,
            self._audience(hub),
            now=now,
            lifetime=minutes_to_expire * 60,
            user_id=user_id,
            claims=claims,
        )

    def close(self) -> None:
        """Stop the rotation of the access key and close the connections."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _opened(credential: "TokenCredential | CredentialSettings") -> "TokenCredential":
    if isinstance(credential, CredentialSettings):
        return open_credential(credential, os.environ)
    return credential
