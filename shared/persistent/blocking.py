"""A sender over server connections that blocks."""

import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, Never, Self, overload

from ..endpoints.credentials import Credential
from ..errors import ServiceUnavailableError
from ..rest.members import GroupConnection
from ..server_connections.recording import Sent
from ..service_protocol.messages import Message
from ..settings.endpoint import Endpoint
from ..settings.environment import Settings
from ..settings.names import check_hub
from ..transport.event_loop import LoopThread
from .aio import PersistentSender as AwaitableSender
from .batch import Batch
from .exchange import missing_attribute
from .messages import Messages
from .threads import Handed, Handover, Sends

__all__ = ["PersistentSender"]


class blocking[**P, T]:  # noqa: N801  used like a decorator
    """A method that waits for a coroutine on the sender's event loop.

    Args:
        method: A method of `AwaitableSender`.
    """

    def __init__(
        self, method: Callable[Concatenate[AwaitableSender, P], Coroutine[Any, Any, T]]
    ) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    @overload
    def __get__(self, sender: None, owner: type[object]) -> Self: ...
    @overload
    def __get__(self, sender: "PersistentSender", owner: type[object]) -> Callable[P, T]: ...
    def __get__(
        self, sender: "PersistentSender | None", owner: type[object]
    ) -> Self | Callable[P, T]:
        """Bind the method to a sender."""
        if sender is None:
            return self

        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            return sender.result(self._method(sender._sender, *args, **kwargs))  # noqa: SLF001  its own

        return call


class PersistentSender(Sends):
    """Sends by server connections of Azure SignalR Service, and blocks. Threads may share it.

    >>> from azure.identity import DefaultAzureCredential
    >>> with PersistentSender(
    ...     "https://contoso.service.signalr.net", DefaultAzureCredential()
    ... ) as sender:  # doctest: +SKIP
    ...     sender.send_to_user("chat", "ann", "newMessage", ["Hello"])

    Args:
        endpoints: The endpoint of the service, or several: what is sent goes to all of them.
        credential: A credential of azure-identity, or settings to make one from: one for all
            endpoints, or one for each.
        connections: How many server connections there are to each hub at each endpoint.
        send_timeout: Seconds that a message waits for a connection that is up and takes it.
        application: Name of the application whose hubs these are.
        message_tracing: Whether what is sent gets a name in the service's messaging logs.
    """

    _sender: AwaitableSender
    _loop: LoopThread
    _is_closed: bool

    def __init__(
        self,
        endpoints: str | Endpoint | Sequence[Endpoint],
        credential: Credential | Sequence[Credential],
        *,
        connections: int = 1,
        send_timeout: float = 10.0,
        application: str = "",
        message_tracing: bool = False,
    ) -> None:
        self._begin(
            AwaitableSender(
                endpoints,
                credential,
                connections=connections,
                send_timeout=send_timeout,
                application=application,
                message_tracing=message_tracing,
            )
        )

    @classmethod
    def from_settings(cls, settings: Settings, *, connections: int = 1) -> Self:
        """Make a sender from the settings of a Function App."""
        return cls._of(AwaitableSender.from_settings(settings, connections=connections))

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] = os.environ, *, connections: int = 1
    ) -> Self:
        """Make a sender from settings of the environment: those that say where the service is.

        Raises:
            SettingsError: A setting is missing or wrong. It names the setting and shows a right
                value.
        """
        return cls._of(AwaitableSender.from_environment(environment, connections=connections))

    invoke_connection = blocking(AwaitableSender.invoke_connection)
    close_connection = blocking(AwaitableSender.close_connection)
    close_all_connections = blocking(AwaitableSender.close_all_connections)
    close_group_connections = blocking(AwaitableSender.close_group_connections)
    close_user_connections = blocking(AwaitableSender.close_user_connections)
    connection_exists = blocking(AwaitableSender.connection_exists)
    group_exists = blocking(AwaitableSender.group_exists)
    user_exists = blocking(AwaitableSender.user_exists)
    user_in_group = blocking(AwaitableSender.user_in_group)
    add_connection_to_group = blocking(AwaitableSender.add_connection_to_group)
    remove_connection_from_group = blocking(AwaitableSender.remove_connection_from_group)
    remove_connection_from_all_groups = blocking(AwaitableSender.remove_connection_from_all_groups)
    add_user_to_group = blocking(AwaitableSender.add_user_to_group)
    remove_user_from_group = blocking(AwaitableSender.remove_user_from_group)
    remove_user_from_all_groups = blocking(AwaitableSender.remove_user_from_all_groups)
    refresh_connection_authentication = blocking(AwaitableSender.refresh_connection_authentication)
    connection_claims = blocking(AwaitableSender.connection_claims)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Never:
            """Say where to look for what server connections cannot do."""
            raise missing_attribute(self, name)

    def list_connections_in_group(self, hub: str, group: str) -> Iterator[GroupConnection]:
        """Give the connections in a group, asking for page after page.

        Raises:
            SignalRError: As `connection_exists`, from the iteration.
        """
        pages = self._sender.connection_pages(hub, group)
        while (page := self.result(_next(pages))) is not None:
            yield from page

    def result[T](self, made: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine of the sender on its event loop, and return what it returns.

        Raises:
            ServiceUnavailableError: It is closed, or belongs to another process.
        """
        try:
            self._sender.check_process()
        except ServiceUnavailableError:
            made.close()
            raise
        return self._loop.result(made)

    def batch(self) -> Batch:
        """Return what writes many messages together, in the block of a `with` statement.

        >>> with sender.batch() as batch:  # doctest: +SKIP
        ...     for user in users:
        ...         batch.send_to_user("chat", user, "newMessage", ["Hello"])

        A send waits for nothing there unless 1 MB waits for the sockets; at its end, the block
        waits until they have taken everything. Threads may share it.

        Raises:
            ServiceUnavailableError: From the end of the block, or from the next send: not every
                message was written, or nobody knows; the cause is what the first one met.
        """
        return Batch(self._handover, self._encode)

    def close(self) -> None:
        """Have the sockets take what was sent, and close them. Nothing is sent afterwards."""
        if self._is_closed or not self._sender.is_own:
            return
        self._is_closed = True
        self._loop.result(self._sender.close())
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @classmethod
    def _of(cls, sender: AwaitableSender) -> Self:
        made = cls.__new__(cls)
        made._begin(sender)  # noqa: SLF001  as in __init__
        return made

    def _begin(self, sender: AwaitableSender) -> None:
        self._sender = sender
        self._loop = LoopThread()
        self._handover = Handover(self._loop, sender._up, sender._send)  # noqa: SLF001  its own
        super().__init__(_OneByOne(self._handover, self._encode))
        self._is_closed = False

    def _encode(self, message: Message, about: str) -> Sent:
        self._sender.check_process()
        return self._sender._encode(message, about)  # noqa: SLF001  its own


class _OneByOne(Messages):
    """Hands messages over, and waits for each."""

    def __init__(self, handover: Handover, encode: Callable[[Message, str], Sent]) -> None:
        self._handover = handover
        self._encode = encode

    async def _write(self, hub: str, message: Message, about: str) -> None:
        one = _One(check_hub(hub), self._encode(message, about))
        loop = self._handover.loops.begin()
        try:
            self._handover.put(one, loop)
            one.wait()
        finally:
            self._handover.loops.end()


class _One(Handed):
    """A message that a thread waits for."""

    def __init__(self, hub: str, sent: Sent) -> None:
        super().__init__(hub, sent)
        self._is_over = False
        self._outcome: Exception | None = None
        self._told = threading.Lock()
        self._told.acquire()

    def done(self) -> bool:
        return self._is_over

    def set_result(self, outcome: Exception | None, /) -> None:
        self._outcome = outcome
        self._told.release()

    def wait(self) -> None:
        """Wait until it is written.

        Raises:
            ServiceUnavailableError: It is not, or nobody knows.
        """
        try:
            self._told.acquire()
        finally:
            # Also when the thread is interrupted: nobody waits any more.
            self._is_over = True
        if self._outcome is not None:
            raise self._outcome


async def _next(
    pages: AsyncIterator[tuple[GroupConnection, ...]],
) -> tuple[GroupConnection, ...] | None:
    return await anext(pages, None)
