"""One server connection over its WebSocket: what is written, and what comes.

Messages that are written at the same time go as one WebSocket message, since the service reads a
stream of bytes. A line keeps their order.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from ..errors import ServiceUnavailableError
from ..service_protocol.actions import Action, BufferFull, Close, Write
from ..service_protocol.connection import ServerConnection

__all__ = ["Line", "NotWrittenError", "Waiter"]

_LONGEST_BATCH: Final = 64 * 1024
"""Bytes after which messages wait for the next WebSocket message."""

_PAUSE: Final = 1.0
"""Seconds for which less is to be sent when the service's buffer is full."""


class NotWrittenError(ServiceUnavailableError):
    """Nothing of a message has left this process, so that it may go by another connection."""


class Waiter(Protocol):
    """Whoever waits until the socket has taken something, as a future does."""

    def done(self) -> bool:
        """Tell whether nobody waits any more."""

    def set_result(self, outcome: ServiceUnavailableError | None, /) -> None:
        """Take that the socket has it, or why not."""


class _Queued(NamedTuple):
    data: bytes
    waiter: Waiter


class Line:
    """One weak server connection.

    Args:
        socket: Its WebSocket, just opened.
        token: The Entra token that opened it, or `None`.
        told: Is told of every action that concerns others than the socket.
        patience: Seconds for which the service may take nothing.
    """

    def __init__(
        self,
        socket: ClientConnection,
        token: str | None,
        told: Callable[["Line", Action], None],
        patience: float,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = socket
        self._told = told
        self._patience = patience
        self._connection = ServerConnection(token, self._loop.time())
        self._queue: deque[_Queued] = deque()
        self._under_way: list[_Queued] = []
        self._ready = asyncio.Event()
        self._stuck: ServiceUnavailableError | None = None
        self._writing = self._loop.create_task(self._write_out())
        self.full_until = 0.0
        """When more may be sent, in the loop's time."""

    @property
    def is_open(self) -> bool:
        """Whether there may be written."""
        return self._connection.is_open

    async def shake_hands(self) -> None:
        """Wait until the service welcomes this connection.

        Raises:
            ServiceUnavailableError: It does not.
        """
        self._write(self._connection.start().data)
        while not self._connection.is_open:
            await self._step()

    async def live(self) -> None:
        """Take what comes, until the connection ends.

        Raises:
            ServiceUnavailableError: Why it has ended.
        """
        while True:
            await self._step()

    def put(self, data: bytes, waiter: Waiter) -> None:
        """Have messages written to the socket, behind those that were put before.

        Args:
            data: The messages, each behind its length.
            waiter: Is told that the socket has taken them; or by a `NotWrittenError` that the
                connection has ended before, by another error that it has ended meanwhile.
        """
        self._queue.append(_Queued(data, waiter))
        self._ready.set()

    async def flush(self) -> None:
        """Wait until the socket has taken all that was written before.

        Raises:
            ServiceUnavailableError: The connection has ended before.
        """
        if self._queue or self._under_way:
            waiter: asyncio.Future[ServiceUnavailableError | None] = self._loop.create_future()
            self.put(b"", waiter)
            failure = await waiter
            if failure is not None:
                raise failure

    def prove(self, token: str) -> None:
        """Show the service an Entra token that is valid now."""
        self._do(self._connection.prove(token))

    async def end(self) -> None:
        """Close the socket, and tell whoever still waits for it."""
        self._connection.closed()
        self._writing.cancel()
        for each in self._queue:
            _tell(each, NotWrittenError("The server connection has ended"))
        for each in self._under_way:
            _tell(each, ServiceUnavailableError(
                "The server connection has ended while it was written. It may have been sent"
            ))  # fmt: skip
        self._queue.clear()
        self._under_way.clear()
        await self._socket.close()

    async def _step(self) -> None:
        """Take what comes next, or note the time.

        Raises:
            ServiceUnavailableError: The connection has ended.
        """
        due = self._connection.due
        try:
            async with asyncio.timeout_at(due):
                data = await self._socket.recv()
        except TimeoutError:
            self._do(self._connection.elapsed(self._loop.time()))
            return
        except ConnectionClosed as error:
            raise self._stuck or ServiceUnavailableError(
                f"The server connection has ended: {error}"
            ) from None
        if isinstance(data, str):
            await self._socket.close(1007)
            raise ServiceUnavailableError("The service has sent text, and the protocol has none")
        self._do(self._connection.received(data, self._loop.time()))

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Write():
                    self._write(action.data)
                case Close():
                    raise action.error
                case BufferFull():
                    self.full_until = self._loop.time() + _PAUSE
                    self._told(self, action)
                case _:
                    self._told(self, action)

    def _write(self, data: bytes) -> None:
        """Write what nobody waits for."""
        self.put(data, self._loop.create_future())

    async def _write_out(self) -> None:
        try:
            while True:
                await self._ready.wait()
                self._ready.clear()
                while self._queue:
                    await self._write_batch()
        except TimeoutError:
            self._stuck = ServiceUnavailableError(
                f"The service took nothing from the server connection for {self._patience:g} s"
            )
            self._socket.transport.abort()
        except ConnectionClosed:
            # Whoever reads sees it too, and tells why.
            return

    async def _write_batch(self) -> None:
        size = 0
        while self._queue and size < _LONGEST_BATCH:
            queued = self._queue.popleft()
            # Nobody waits for it any more, and so it is not sent.
            if queued.waiter.done():
                continue
            self._under_way.append(queued)
            size += len(queued.data)
        if size:
            data = b"".join([data for data, _ in self._under_way])
            async with asyncio.timeout(self._patience):
                await self._socket.send(data)
        for each in self._under_way:
            _tell(each, None)
        self._under_way.clear()


def _tell(queued: _Queued, outcome: ServiceUnavailableError | None) -> None:
    if not queued.waiter.done():
        queued.waiter.set_result(outcome)
