"""The server connections of one hub at one endpoint: kept up, chosen among, waited on."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from ..errors import ServiceError, ServiceUnavailableError
from ..service_protocol import codec
from ..service_protocol.acks import Answer
from ..service_protocol.actions import (
    Abandoned,
    Action,
    BufferFull,
    InstanceOffline,
    Received,
    RenewToken,
    Unreadable,
)
from ..service_protocol.actions import Opened as Welcomed
from ..service_protocol.invocations import Completion
from ..service_protocol.items import Pairs
from ..service_protocol.messages import (
    AccessKeyResponse,
    Message,
    ServiceEvent,
)
from ..service_protocol.requests import AckRequest
from ..telemetry import log_fields
from .answers import Answers, Awaited
from .instruments import operation_of
from .keeper import Keeper
from .line import Line, NotWrittenError, Waiter
from .opening import Opening
from .recording import Recording, Sent

__all__ = ["HubConnections"]

_logger = logging.getLogger(__name__)


class HubConnections:
    """The server connections of one hub at one endpoint, on the running event loop.

    Args:
        opening: Opens one.
        hub: Name of the hub, for errors.
        server_id: Names this process to the service.
        count: How many there shall be.
        patience: Seconds that whoever sends waits for a connection that is up.
        recording: Records what is done.
        jitter: Random numbers from 0 to 1, which spread attempts to connect.
    """

    def __init__(
        self,
        opening: Opening,
        hub: str,
        *,
        server_id: str,
        count: int,
        patience: float,
        recording: Recording,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._opening = opening
        self._hub = hub
        self._patience = patience
        self._recording = recording
        self._answers = Answers(server_id)
        self._changed = asyncio.Event()
        self._failure: ServiceError | None = None
        self._is_closed = False
        self._renewals: set[asyncio.Task[None]] = set()
        self._keeper = Keeper(
            opening,
            count,
            lambda opened: Line(opened.socket, opened.token, self._told, patience),
            failed=self._note,
            left=self._answers.lost,
            recording=recording,
            jitter=jitter,
        )

    @property
    def is_up(self) -> bool:
        """Whether a connection is up."""
        return any(each.is_open for each in self._keeper.lines)

    async def write(self, sent: Sent) -> None:
        """Write a message to the socket of a connection.

        Raises:
            ServiceUnavailableError: No connection is up in time, or the service asks for less.
        """
        if sent.begun is None:
            await self._write(sent.data, sent.about)
        else:
            await self._recording.sent(sent.begun, self._write(sent.data, sent.about))

    async def _write(self, data: bytes, about: str) -> None:
        deadline = self._loop.time() + self._patience
        while True:
            line = self._up(about) or await self._line(about, deadline)
            if await self._has_written(line, data):
                return

    def put(self, sent: Sent, waiter: Waiter) -> None:
        """Write a message as `write`, but by a connection that is up now.

        Args:
            sent: The message.
            waiter: Is told that the socket has taken it, or why not; by a `NotWrittenError` if
                nothing of it has left.
        """
        if sent.begun is not None:
            waiter = self._recording.waiter(sent.begun, waiter)
        try:
            line = self._up(sent.about)
        except ServiceUnavailableError as error:
            waiter.set_result(error)
            return
        if line is None:
            waiter.set_result(NotWrittenError("No server connection is up"))
        else:
            line.put(sent.data, waiter)

    async def ask(self, request: AckRequest, about: str) -> Answer:
        """Write a request, and wait for its ack; otherwise as `write`.

        Raises:
            ConnectionNotFoundError: There is no connection with a connection token.
            ServiceError: The service refuses or fails, or its ack does not come.
        """
        asking = self._answer(about, partial(self._answers.acknowledged, request))
        return await self._recording.answered(operation_of(request), asking)

    async def invoke(
        self, connection_id: str, write: Callable[[str], Pairs[bytes]], seconds: float
    ) -> Completion:
        """Ask a client for a result, and wait for it; otherwise as `write`.

        Args:
            connection_id: The client's connection.
            write: Gives the message to the client, in each hub protocol, for an invocation id.
            seconds: For how long to wait.

        Raises:
            ServiceError: The result does not come.
        """
        invoked = partial(self._answers.invoked, connection_id, write, seconds)
        asking = self._answer(connection_id, invoked)
        return await self._recording.answered("invoke_connection", asking)

    async def close(self) -> None:
        """Have the sockets take what was sent, for as long as a send may take, and close them."""
        self._is_closed = True
        self._changed.set()
        with contextlib.suppress(ServiceError, TimeoutError):
            async with asyncio.timeout(self._patience):
                await asyncio.gather(*(each.flush() for each in self._keeper.lines))
        for task in self._renewals:
            task.cancel()
        await asyncio.gather(*self._renewals, self._keeper.close(), return_exceptions=True)
        self._answers.close()

    async def _line(self, about: str, deadline: float) -> Line:
        """Return the connection by which something goes, when one is up.

        Raises:
            ServiceUnavailableError: None is up in time, or the service asks for less.
        """
        while (line := self._up(about)) is None:
            self._changed.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._changed.wait()
            except TimeoutError:
                raise self.named(self._not_up()) from self._failure
        return line

    def _up(self, about: str) -> Line | None:
        """Return the connection by which something goes, if one is up.

        Raises:
            ServiceUnavailableError: The service asks for less, or the sender is closed.
        """
        if self._is_closed:
            raise self.named(ServiceUnavailableError("The sender is closed"))
        up = [each for each in self._keeper.lines if each.is_open]
        if not up:
            return None
        now = self._loop.time()
        free = [each for each in up if each.full_until <= now]
        if not free:
            wait = min(each.full_until for each in up) - now
            raise self.named(
                ServiceUnavailableError(
                    "The service's buffer for this server connection is full", retry_after=wait
                )
            )
        return free[hash(about) % len(free)]

    def _not_up(self) -> ServiceUnavailableError:
        why = f": {self._failure}" if self._failure else ""
        return ServiceUnavailableError(
            f"Not sent: no server connection within {self._patience:g} s{why}", retry_after=1
        )

    def named[E: ServiceError](self, error: E) -> E:
        """Have an error say where it comes from."""
        error.endpoint = self._opening.endpoint.name
        error.hub = self._hub
        return error

    async def _answer[T](
        self, about: str, waiting: Callable[[Line], AbstractContextManager[Awaited[T]]]
    ) -> T:
        """Write what has an answer, and wait for that; otherwise as `write`.

        Args:
            about: As for `write`.
            waiting: Waits for the answer by a connection, until the end of the block.
        """
        deadline = self._loop.time() + self._patience
        while True:
            line = await self._line(about, deadline)
            with waiting(line) as (asked, waiter):
                if not await self._has_written(line, codec.write(asked)):
                    continue
                result = await waiter
            if isinstance(result, ServiceError):
                raise self.named(result)
            return result

    async def _has_written(self, line: Line, data: bytes) -> bool:
        """Write a message to a socket, and tell whether it has left: else it may go by another.

        Raises:
            ServiceUnavailableError: The connection has ended meanwhile.
        """
        waiter: asyncio.Future[ServiceUnavailableError | None] = self._loop.create_future()
        line.put(data, waiter)
        failure = await waiter
        if failure is not None and not isinstance(failure, NotWrittenError):
            raise self.named(failure)
        return failure is None

    def _note(self, error: ServiceError) -> None:
        self._failure = self.named(error)
        _logger.warning("%s", error, extra=log_fields(error))

    def _told(self, line: Line, action: Action) -> None:
        match action:
            case Welcomed():
                self._failure = None
                self._changed.set()
            case Received():
                self._take(action.message)
            case RenewToken():
                renewal = self._loop.create_task(self._renew(line))
                self._renewals.add(renewal)
                renewal.add_done_callback(self._renewals.discard)
            case InstanceOffline():
                self._answers.instance_offline(action.instance_id)
            case Abandoned():
                self._warn("The service is about to close a server connection: %s", action.text)
            case BufferFull():
                self._recording.throttled()
                self._warn("The service asks for less by a server connection: %s", action.text)
            case Unreadable():
                self._warn("A message of the service was skipped: %s", action.problem)
            case _:
                # Numbers for routing, which is done by health checks here.
                return

    def _take(self, message: Message) -> None:
        match message:
            case AccessKeyResponse(error_type=str(kind)) if kind:
                self._warn("The service does not accept the Entra token: %s", kind)
            case ServiceEvent():
                self._warn("The service tells of an event: %s", message.message)
            case _:
                self._answers.take(message)

    async def _renew(self, line: Line) -> None:
        try:
            line.prove(await self._opening.entra_token())
        except ServiceError as error:
            self._warn("No new proof for a server connection: %s", str(error))

    def _warn(self, text: str, what: str) -> None:
        extra = log_fields(hub=self._hub, endpoint=self._opening.endpoint.name)
        _logger.warning(text, what, extra=extra)
