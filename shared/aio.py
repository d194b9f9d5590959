"""An awaitable client of Azure SignalR Service: `shared.client` for an event loop."""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Concatenate, Final, Self, overload

from shared.client import DEFAULT_LIFETIME, KEY_TIMEOUT, BaseClient
from shared.client_token import ClaimValue, ClientToken, sign_client_token
from shared.flow import Answer, Flow, Step, Wait, run_async
from shared.rest import GroupConnection, RestApi

__all__ = ["MAX_CONCURRENCY", "SignalRServiceClient"]

MAX_CONCURRENCY: Final = 16
"""Most requests to the service at a time."""


class _AsyncBaseClient(BaseClient):
    """Does the blocking steps on threads of its own.

    Not on the worker's pool, which belongs to the app's blocking functions and is small.
    """

    @functools.cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(MAX_CONCURRENCY, thread_name_prefix="signalr-send")

    async def perform_async(self, step: Step) -> Answer:
        """Do one step of a conversation without blocking the event loop."""
        if isinstance(step, Wait):
            await asyncio.sleep(step.seconds)
            return None
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self.perform, step)


class awaitable[**P, T]:  # noqa: N801  used like a decorator
    """A coroutine method that holds the conversation of an operation on the event loop."""

    def __init__(self, operation: Callable[Concatenate[RestApi, P], Flow[T]]) -> None:
        self._operation = operation
        self.__doc__ = operation.__doc__

    @overload
    def __get__(self, client: None, owner: type[object]) -> Self: ...
    @overload
    def __get__(
        self, client: _AsyncBaseClient, owner: type[object]
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(
        self, client: _AsyncBaseClient | None, owner: type[object]
    ) -> Self | Callable[P, Coroutine[Any, Any, T]]:
        """Bind the operation to a client."""
        if client is None:
            return self

        async def call(*args: P.args, **kwargs: P.kwargs) -> T:
            flow = self._operation(client.rest, *args, **kwargs)
            return await run_async(flow, client.perform_async)

        return call


class SignalRServiceClient(_AsyncBaseClient):
    """An awaitable client of one Azure SignalR Service instance, for one event loop."""

    send_to_all = awaitable(RestApi.send_to_all)
    send_to_user = awaitable(RestApi.send_to_user)
    send_to_group = awaitable(RestApi.send_to_group)
    send_to_connection = awaitable(RestApi.send_to_connection)
    invoke_connection = awaitable(RestApi.invoke_connection)
    send_stream_item = awaitable(RestApi.send_stream_item)
    complete_stream = awaitable(RestApi.complete_stream)
    execute = awaitable(RestApi.execute)
    close_connection = awaitable(RestApi.close_connection)
    close_all_connections = awaitable(RestApi.close_all_connections)
    close_group_connections = awaitable(RestApi.close_group_connections)
    close_user_connections = awaitable(RestApi.close_user_connections)
    connection_exists = awaitable(RestApi.connection_exists)
    group_exists = awaitable(RestApi.group_exists)
    user_exists = awaitable(RestApi.user_exists)
    user_in_group = awaitable(RestApi.user_in_group)
    add_connection_to_group = awaitable(RestApi.add_connection_to_group)
    remove_connection_from_group = awaitable(RestApi.remove_connection_from_group)
    remove_connection_from_all_groups = awaitable(RestApi.remove_connection_from_all_groups)
    add_user_to_group = awaitable(RestApi.add_user_to_group)
    remove_user_from_group = awaitable(RestApi.remove_user_from_group)
    remove_user_from_all_groups = awaitable(RestApi.remove_user_from_all_groups)
    generate_client_token = awaitable(RestApi.generate_client_token)
    service_is_healthy = awaitable(RestApi.service_is_healthy)

    async def list_connections_in_group(
        self, hub: str, group: str
    ) -> AsyncIterator[GroupConnection]:
        """Give the connections in a group, asking for page after page.

        Raises:
            SignalRError: As `send_to_all`, from the iteration.
        """
        page = None
        while page is None or page.next_link:
            flow = self.rest.connection_page(hub, group, next_link=page.next_link if page else None)
            page = await run_async(flow, self.perform_async)
            for connection in page.connections:
                yield connection

    async def get_client_access_token(
        self,
        hub: str,
        *,
        user_id: str | None = None,
        claims: Mapping[str, ClaimValue] | None = None,
        minutes_to_expire: float = DEFAULT_LIFETIME,
    ) -> ClientToken:
        """Return a token with which one client may connect to a hub.

        With a key at hand it signs at once, without suspending. Arguments and errors are those of
        the blocking client.
        """
        now = self._clock()
        key = self._keys.current(now) or await self._keys.get_async(KEY_TIMEOUT)
        return sign_client_token(
            key,
            self._audience(hub),
            now=now,
            lifetime=minutes_to_expire * 60,
            user_id=user_id,
            claims=claims,
        )

    async def close(self) -> None:
        """Stop the rotation of the access key and close threads and connections."""
        await asyncio.to_thread(self._close)
        self._threads.shutdown(wait=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
