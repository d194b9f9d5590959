"""One server connection from its WebSocket to its end."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable

from ..errors import RequestError
from ..faults.disturbances import ACK, MESSAGE, Disturbances, pause
from ..faults.rules import Armed
from ..server_connections.connection import Closed, Connection, Event, Opened, Received, Send
from ..server_connections.live import ServerConnection
from ..server_connections.registry import ServerConnections
from ..service_protocol.messages import (
    Ack,
    ConnectionKind,
    EventKind,
    HandshakeRequest,
    ServiceEvent,
)
from ..service_protocol.table import Message
from .answers import AckStatus, Handlers
from .socket import ServerSocket

__all__ = ["Session"]

_LOGGER = logging.getLogger(__name__)

_SERVER_CONNECTION = 4
"""What a `ServiceEvent` is about: the server connection itself."""


class Session:
    """Carries out what a server connection asks for.

    Args:
        connection: Its protocol.
        server: What is known of it, with what its handshake says yet to come.
        servers: Where it is found once its handshake is done.
        socket: Where it is written to.
        handlers: What carries out its messages.
        disturbances: What disturbs it on purpose.
        expire: Ends the memberships whose time is over.
        carried_out: Learns of each message that is carried out, or why it was not.
    """

    def __init__(
        self,
        connection: Connection,
        server: ServerConnection,
        *,
        servers: ServerConnections,
        socket: ServerSocket,
        handlers: Handlers,
        disturbances: Disturbances,
        expire: Callable[[], None],
        carried_out: Callable[[ServerConnection, Message, str | None], None],
    ) -> None:
        self._connection = connection
        self._server = server
        self._servers = servers
        self._socket = socket
        self._handlers = handlers
        self._disturbances = disturbances
        self._expire = expire
        self._carried_out = carried_out
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_at(connection.deadline, self._check)
        self._late: set[asyncio.Task[None]] = set()

    def take(self, data: bytes) -> None:
        """Carry out what comes, and read no more until there is room for the answers."""
        armed = self._disturbances.take(MESSAGE)
        if armed is not None:
            self._hold(self._take_late(armed, data))
            return
        self._carry_out_all(data)
        # Who asks and does not read the answers is not read either.
        if not self._socket.has_room:
            self._hold(self._read_on())

    def end(self) -> None:
        """Take note that nothing comes any more."""
        self._timer.cancel()
        for task in self._late:
            task.cancel()
        self._servers.remove(self._server)

    def _hold(self, until_it_reads_on: Coroutine[None, None, None]) -> None:
        self._socket.pause_reading()
        self._later(until_it_reads_on)

    async def _take_late(self, armed: Armed, data: bytes) -> None:
        await pause(armed)
        self._carry_out_all(data)
        await self._read_on()

    async def _read_on(self) -> None:
        await self._socket.room()
        self._socket.resume_reading()

    def _carry_out_all(self, data: bytes) -> None:
        self._carry_out(self._connection.receive(data, self._loop.time()))
        if self._connection.deadline < self._timer.when():
            self._reschedule()

    def _check(self) -> None:
        self._carry_out(self._connection.check(self._loop.time()))
        self._reschedule()

    def _reschedule(self) -> None:
        self._timer.cancel()
        if not self._connection.is_closed:
            self._timer = self._loop.call_at(self._connection.deadline, self._check)

    def _carry_out(self, events: Iterable[Event]) -> None:
        for event in events:
            match event:
                case Received(message):
                    self._handle(message)
                case Send(message):
                    self._server.send(message)
                case Opened(request):
                    self._opened(request)
                case Closed(reason):
                    _LOGGER.warning(
                        "Server %s of hub %s is cut off: %s",
                        self._server.server_id,
                        self._server.hub,
                        reason,
                    )
                    self._socket.close()
                    # No client is to come while the WebSocket ends.
                    self._servers.remove(self._server)

    def _opened(self, request: HandshakeRequest) -> None:
        server = self._server
        server.kind = ConnectionKind(request.connection_type)
        server.migration_level = request.migration_level
        server.allows_stateful_reconnect = request.allow_stateful_reconnects
        self._servers.add(server)

    def _handle(self, message: Message) -> None:
        handle = self._handlers.get(type(message))
        if handle is None:
            _LOGGER.debug("A server has sent what only the service does: %r", message)
            return
        self._expire()
        answer, problem = None, None
        try:
            answer = handle(self._server, message)
        except RequestError as error:
            problem = error.message
        except Exception:
            _LOGGER.exception("A message of server %s is lost: %r", self._server.server_id, message)
            problem = "The service has failed."
        if problem is not None:
            answer = _refusal(message, problem)
        elif isinstance(answer, Ack) and answer.status != AckStatus.OK:
            problem = answer.message
        self._carried_out(self._server, message, problem)
        if isinstance(answer, Ack):
            self._acknowledge(answer)
        elif answer is not None:
            self._server.send(answer)

    def _acknowledge(self, ack: Ack) -> None:
        armed = self._disturbances.take(ACK)
        if armed is None:
            self._server.send(ack)
            return
        self._later(self._acknowledge_late(armed, ack))

    async def _acknowledge_late(self, armed: Armed, ack: Ack) -> None:
        await pause(armed)
        self._server.send(ack)

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._late.add(task)
        task.add_done_callback(self._late.discard)


def _refusal(message: Message, error: str) -> Message:
    """Say why something is not carried out, as the message lets it be said."""
    ack_id = getattr(message, "ack_id", None)
    if ack_id is not None:
        return Ack(ack_id, AckStatus.INTERNAL_ERROR, error)
    text = f"{type(message).__name__}: {error}"
    return ServiceEvent(_SERVER_CONNECTION, "", EventKind.INVALID, text)
