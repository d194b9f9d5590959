"""An awaitable client of Azure SignalR Service: `shared.client` for an event loop."""

import asyncio
import contextvars
import functools
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, Self, overload

from shared.base_client import DEFAULT_LIFETIME, BaseClient, EndpointOperation
from shared.client_token import Claims
from shared.connection_options import ConnectionOptions
from shared.errors import ServiceError
from shared.flow import (
    Answer,
    Flow,
    GetKey,
    GetToken,
    NoAnswerError,
    Request,
    Step,
    Together,
    Wait,
    run_async,
)
from shared.members import GroupConnection
from shared.outcomes import Reach
from shared.rest import RestApi
from shared.service_endpoint import ClientAccess, TokenRequest

__all__ = ["MAX_CONCURRENCY", "SignalRServiceClient"]

MAX_CONCURRENCY: Final = 16
"""Most requests to an endpoint at a time."""

_IDENTITY: Final = ""
"""What tokens are asked for with: threads of no endpoint."""


class _AsyncBaseClient(BaseClient):
    """Does the blocking steps on threads of its own.

    Not on the worker's pool, which belongs to the app's blocking functions and is small. Each
    endpoint has its own, so that one which does not answer holds up nobody else.
    """

    @functools.cached_property
    def _threads(self) -> defaultdict[str, ThreadPoolExecutor]:
        return defaultdict(
            lambda: ThreadPoolExecutor(MAX_CONCURRENCY, thread_name_prefix="signalr-send")
        )

    async def perform_async(self, step: Step) -> Answer:
        """Do one step of a conversation without blocking the event loop."""
        match step:
            case GetToken(source, url, rejected) if token := source.at_hand(url, rejected):
                # A thread would take as long as a tenth of the request.
                return token
            case Wait(seconds):
                await asyncio.sleep(seconds)
                return None
            case GetKey(source, timeout):
                return await source.get_async(timeout)
            case Together(flows):
                return await self._together(flows)
            case Request():
                return await self._send(step)
            case _:
                return await asyncio.wrap_future(self._on_thread(_IDENTITY, step))

    def after_fork(self) -> None:
        """Make it usable in a child process, which has its keys and none of its threads."""
        self.__dict__.pop("_threads", None)
        super().after_fork()

    async def _send(self, request: Request) -> Answer:
        held = self._on_thread(request.endpoint, request)
        patience = self.patience_with(request)
        if patience is None:
            return await asyncio.wrap_future(held)
        return await _in_turn(held, patience)

    def _on_thread(self, name: str, step: Step) -> Future[Answer]:
        # The caller's span is the parent of the request's.
        context = contextvars.copy_context()
        return self._threads[name].submit(context.run, self.performer.perform, step)

    async def _together(self, flows: Sequence[Flow[object]]) -> Sequence[object]:
        return await asyncio.gather(*map(self._outcome, flows))

    async def _outcome(self, flow: Flow[object]) -> object:
        try:
            return await run_async(flow, self.perform_async)
        except ServiceError as error:
            return error


async def _in_turn(held: Future[Answer], patience: float) -> Answer:
    """Wait for an answer, and at most `patience` seconds until its request is begun.

    Raises:
        NoAnswerError: It was not begun in time, or got no answer.
    """
    given_up = False

    def give_up() -> None:
        nonlocal given_up
        given_up = held.cancel()  # which has no effect on one that is under way

    timer = asyncio.get_running_loop().call_later(patience, give_up)
    try:
        return await asyncio.wrap_future(held)
    except asyncio.CancelledError:
        if not given_up:
            raise
        raise NoAnswerError(
            f"{MAX_CONCURRENCY} other requests have waited for {patience:g} s", delivered=False
        ) from None
    finally:
        timer.cancel()


class awaitable[**P, T](EndpointOperation[P, T]):  # noqa: N801  used like a decorator
    """A coroutine method that holds the conversation of an operation on the event loop."""

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
            return await run_async(self.flow(client, *args, **kwargs), client.perform_async)

        return call


class SignalRServiceClient(_AsyncBaseClient):
    """An awaitable client of Azure SignalR Service, for one event loop.

    With several endpoints every operation goes to all of them at once. `EndpointsError` says which
    of them failed and which did it.
    """

    send_to_all = awaitable(RestApi.send_to_all)
    send_to_user = awaitable(RestApi.send_to_user)
    send_to_group = awaitable(RestApi.send_to_group)
    send_to_connection = awaitable(RestApi.send_to_connection)
    invoke_connection = awaitable(RestApi.invoke_connection, Reach.ONE)
    send_stream_item = awaitable(RestApi.send_stream_item, Reach.ONE)
    complete_stream = awaitable(RestApi.complete_stream, Reach.ONE)
    execute = awaitable(RestApi.execute)
    close_connection = awaitable(RestApi.close_connection)
    close_all_connections = awaitable(RestApi.close_all_connections)
    close_group_connections = awaitable(RestApi.close_group_connections)
    close_user_connections = awaitable(RestApi.close_user_connections)
    connection_exists = awaitable(RestApi.connection_exists, Reach.ANY)
    group_exists = awaitable(RestApi.group_exists, Reach.ANY)
    user_exists = awaitable(RestApi.user_exists, Reach.ANY)
    user_in_group = awaitable(RestApi.user_in_group, Reach.ANY)
    add_connection_to_group = awaitable(RestApi.add_connection_to_group, Reach.ONE)
    remove_connection_from_group = awaitable(RestApi.remove_connection_from_group)
    remove_connection_from_all_groups = awaitable(RestApi.remove_connection_from_all_groups)
    add_user_to_group = awaitable(RestApi.add_user_to_group)
    remove_user_from_group = awaitable(RestApi.remove_user_from_group)
    remove_user_from_all_groups = awaitable(RestApi.remove_user_from_all_groups)
    service_is_healthy = awaitable(RestApi.service_is_healthy, Reach.ANY)

    async def list_connections_in_group(
        self, hub: str, group: str
    ) -> AsyncIterator[GroupConnection]:
        """Give the connections in a group, asking for page after page.

        Raises:
            SignalRError: As `send_to_all`, from the iteration.
        """
        for rest in self.rest_apis:
            for page in rest.connection_pages(hub, group):
                for connection in await run_async(page, self.perform_async):
                    yield connection

    async def get_client_access_token(
        self,
        hub: str,
        *,
        user_id: str | None = None,
        claims: Claims | None = None,
        minutes_to_expire: float = DEFAULT_LIFETIME,
        options: ConnectionOptions | None = None,
    ) -> ClientAccess:
        """Return the address and the token with which one client may connect to a hub.

        With a key at hand it signs at once, without suspending. Arguments and errors are those of
        the blocking client.
        """
        request = TokenRequest(hub, user_id, claims, minutes_to_expire, options)
        access = self.negotiation.at_once(request)
        if access is not None:
            return access
        return await run_async(self.negotiation.access(request), self.perform_async)

    async def close(self) -> None:
        """Stop the rotation of the access key and close threads and connections."""
        await asyncio.to_thread(self._close)
        for threads in self._threads.values():
            threads.shutdown(wait=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
