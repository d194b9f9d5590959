"""Messages of threads, which hand them to a sender's event loop, many with one wake-up."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Concatenate, Self, overload

from ..errors import ServiceUnavailableError
from ..server_connections.connections import HubConnections
from ..server_connections.line import NotWrittenError
from ..server_connections.recording import Sent
from ..transport.event_loop import LoopThread
from .messages import Messages

__all__ = ["Handed", "Handover", "Sends"]


class Handed(ABC):
    """A message on its way to the event loop.

    Args:
        hub: Name of the hub.
        sent: The message.
    """

    def __init__(self, hub: str, sent: Sent) -> None:
        self.hub = hub
        self.sent = sent

    @abstractmethod
    def done(self) -> bool:
        """Tell whether nobody waits any more, so that it need not be sent."""

    @abstractmethod
    def set_result(self, outcome: Exception | None, /) -> None:
        """Take that the sockets have it, or why not. The loop's thread says it, and once."""


class Handover:
    """Takes messages from threads to the connections of a sender.

    Args:
        loops: Runs the sender's event loop.
        up: Gives the connections of a hub if there are some, at one endpoint alone.
        send: Sends a message by whatever connections there will be.
    """

    def __init__(
        self,
        loops: LoopThread,
        up: Callable[[str], HubConnections | None],
        send: Callable[[str, Sent], Awaitable[None]],
    ) -> None:
        self.loops = loops
        self._up = up
        self._send = send
        self._handed: deque[Handed] = deque()
        self._is_woken = False
        # By hub: who waits for a connection, and who has come when one was up and they still were.
        self._waiting: dict[str, set[asyncio.Task[None]]] = {}
        self._behind: dict[str, deque[Handed]] = {}

    def put(self, handed: Handed, loop: asyncio.AbstractEventLoop) -> None:
        """Hand a message over, from any thread.

        Args:
            handed: The message.
            loop: What `loops` has given for it.
        """
        self._handed.append(handed)
        if not self._is_woken:
            self._is_woken = True
            loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        # First, since what is handed over from now on has to wake again.
        self._is_woken = False
        while self._handed:
            self._pass_on(self._handed.popleft())

    def _pass_on(self, handed: Handed) -> None:
        hub = handed.hub
        if hub in self._behind:
            self._behind[hub].append(handed)
            return
        connections = self._up(hub)
        if connections is None or not connections.is_up:
            self._send_later(handed)
        elif self._waiting.get(hub):
            # It would come before those that have waited for the connection which is up now.
            self._behind[hub] = deque((handed,))
        else:
            connections.put(handed.sent, _Attempt(handed, connections, self._send_later))

    def _send_later(self, handed: Handed) -> None:
        task = asyncio.get_running_loop().create_task(self._sent(handed))
        self._waiting.setdefault(handed.hub, set()).add(task)
        task.add_done_callback(partial(self._was_sent, handed.hub))

    def _was_sent(self, hub: str, task: asyncio.Task[None]) -> None:
        self._waiting[hub].discard(task)
        if self._waiting[hub]:
            return
        del self._waiting[hub]
        for handed in self._behind.pop(hub, ()):
            self._pass_on(handed)

    async def _sent(self, handed: Handed) -> None:
        if handed.done():
            return
        try:
            await self._send(handed.hub, handed.sent)
        except Exception as error:  # noqa: BLE001  the thread that waits for it raises it
            handed.set_result(error)
        else:
            handed.set_result(None)


class _Attempt:
    """A message that one connection has, and another one gets if nothing of it has left."""

    __slots__ = ("_again", "_connections", "_handed", "done")

    def __init__(
        self, handed: Handed, connections: HubConnections, again: Callable[[Handed], None]
    ) -> None:
        self._handed = handed
        self._connections = connections
        self._again = again
        self.done = handed.done

    def set_result(self, outcome: ServiceUnavailableError | None, /) -> None:
        if isinstance(outcome, NotWrittenError):
            self._again(self._handed)
        else:
            self._handed.set_result(outcome and self._connections.named(outcome))


class written[**P]:  # noqa: N801  used like a decorator
    """A method that writes a message, on the caller's own thread up to the handover.

    Args:
        method: A method of `Messages`.
    """

    def __init__(
        self, method: Callable[Concatenate[Messages, P], Coroutine[Any, Any, None]]
    ) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    @overload
    def __get__(self, sends: None, owner: type[object]) -> Self: ...
    @overload
    def __get__(self, sends: "Sends", owner: type[object]) -> Callable[P, None]: ...
    def __get__(self, sends: "Sends | None", owner: type[object]) -> Self | Callable[P, None]:
        """Bind the method to whoever sends."""
        if sends is None:
            return self

        def call(*args: P.args, **kwargs: P.kwargs) -> None:
            writing = self._method(sends.messages, *args, **kwargs)
            try:
                writing.send(None)
            except StopIteration:
                return
            raise RuntimeError("What threads send must not wait on an event loop")

        return call


class Sends:
    """The operations that bring something to clients, for threads.

    Args:
        messages: Does them, and blocks where it would wait.
    """

    def __init__(self, messages: Messages) -> None:
        self.messages = messages

    send_to_all = written(Messages.send_to_all)
    send_to_user = written(Messages.send_to_user)
    send_to_users = written(Messages.send_to_users)
    send_to_group = written(Messages.send_to_group)
    send_to_groups = written(Messages.send_to_groups)
    send_to_connection = written(Messages.send_to_connection)
    send_to_connections = written(Messages.send_to_connections)
