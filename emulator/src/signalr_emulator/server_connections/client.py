"""A client that an app server answers: its bytes go to a server connection and come from there."""

import asyncio
import logging
import math
import sys
from collections.abc import Callable
from enum import Enum
from typing import Final

from ..authentication.claims import Claim, held_claims, user_claims
from ..clients.hubs import Hubs
from ..clients.negotiations import Negotiated
from ..clients.results import record_for
from ..clients.transport import Lost, Traits, Transport
from ..errors import ClientResultError, ProtocolError
from ..protocols.handshake import STATEFUL_VERSION
from ..protocols.json import encode_handshake
from ..protocols.messages import Close, Completion, Message
from ..protocols.supported import JSON, MESSAGEPACK, HubProtocol
from ..service_protocol.messages import (
    CloseConnection,
    ConnectionData,
    ConnectionReconnect,
    UpdateConnectionClaims,
)
from ..service_protocol.table import Message as ServiceMessage
from ..transports.deadlines import Deadlines
from ..transports.outgoing import Outgoing, record_form
from ..transports.sink import NOTHING, NOWHERE, Relay, Sink
from ..transports.timing import Timing
from .flow import FlowControl
from .live import ServerConnection
from .opening import ClientRequest, Greeting, GreetingReader, open_connection
from .registry import ServerConnections
from .results import PassingResults
from .stateful import StatefulReconnect

__all__ = ["RelayedClient"]

_LOGGER = logging.getLogger(__name__)

_NO_SERVER: Final = (
    "SignalR Service is now in 'Default' service mode, and no app server is connected."
)
"""Begins as Azure's own text does (aspnet/AzureSignalR-samples, issue 133)."""

_LOST: Final = "The connection to the app server is lost."
_MIGRATE_TO: Final = "Asrs-Migrate-To"


class State(Enum):
    """How far a client has come."""

    HANDSHAKE = "handshake"
    """It has not said what it speaks."""

    OPENING = "opening"
    """Its app server knows it, and has not answered to its handshake."""

    OPEN = "open"
    """Messages flow."""

    SUSPENDED = "suspended"
    """The transport is lost; what is sent waits for another one."""

    CLOSED = "closed"
    """Nothing more is sent, and what arrives is ignored."""


class RelayedClient:
    """One client of an app server from the connection of its transport to its end.

    It can be reached as soon as its app server knows of it, as groups are joined then; what comes
    for it waits until the answer to its handshake has gone.

    Args:
        negotiated: Its connection, which knows who it is.
        request: How it has connected.
        hubs: Where it becomes reachable.
        servers: Which of them it may get.
        timing: Time limits.
        traits: What its transport is able to do.
        max_held: Bytes that may wait for the answer to its handshake, or for the rest of a message.
        loop: Has the clock, and runs whoever waits for a result.
        deadlines: Those of all clients.
        on_end: Called once, when the client is gone for good.
    """

    piece_bytes = sys.maxsize
    """How much is taken before it is asked whether there is room for more: all that has come."""

    def __init__(
        self,
        *,
        negotiated: Negotiated,
        request: ClientRequest,
        hubs: Hubs,
        servers: ServerConnections,
        timing: Timing,
        traits: Traits,
        max_held: int,
        loop: asyncio.AbstractEventLoop,
        deadlines: Deadlines,
        on_end: Callable[[], None],
    ) -> None:
        self.connection_id = negotiated.connection_id
        self.hub = negotiated.hub
        self.user_id = negotiated.identity.user_id
        self.form = NOTHING
        self.sink: Sink = NOWHERE
        self._negotiated = negotiated
        self._request = request
        self._hubs = hubs
        self._servers = servers
        self._timing = timing
        self._traits = traits
        self._max_held = max_held
        self._loop = loop
        self._on_end = on_end
        self._state = State.HANDSHAKE
        self._protocol = JSON
        self._greeting: Greeting | None = None
        self._greetings = GreetingReader(traits.transfer_formats)
        self._transport: Transport | None = None
        self._server: ServerConnection | None = None
        self._claims: tuple[Claim, ...] = ()
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._part = bytearray()
        self._stateful: StatefulReconnect | None = None
        self._reconnect_by = math.inf
        self._flow = FlowControl(self.connection_id, self._waiting, self._tell, loop)
        self._results = PassingResults(traits.max_record, loop)
        self._last_received = loop.time()
        self._pauses = 0
        self._deadlines = deadlines
        self._deadline = deadlines.plan(self._last_received + timing.handshake, self._check)

    @property
    def protocol(self) -> HubProtocol:
        """What the client speaks; JSON until its handshake."""
        return self._protocol

    @property
    def server(self) -> ServerConnection | None:
        """What carries it; None before its handshake and after its end."""
        return self._server

    @property
    def is_stateful(self) -> bool:
        """Whether the client outlives its transport (stateful reconnect)."""
        return self._stateful is not None

    def attach(self, transport: Transport) -> None:
        """Give the client its first transport, or another one in place of a lost one."""
        previous, self._transport = self._transport, transport
        if previous is not None:
            previous.abort()
        if self._stateful is None or self._state not in (State.OPEN, State.SUSPENDED):
            return
        self._suspend(self._stateful)
        self._transport = transport
        self._state = State.OPEN
        self._last_received = self._loop.time()
        for record in self._stateful.resume():
            transport.send(record, self._protocol.transfer_format)
        self._tell(ConnectionReconnect(self.connection_id))
        self._check()

    def data_received(self, data: bytes) -> None:
        """Take bytes that the transport brought."""
        self._last_received = self._loop.time()
        if self._state is State.HANDSHAKE:
            data = self._greet(data)
        if self._stateful is not None:
            data = self._count(self._stateful, data)
        if self._server is not None and data:
            self._server.send(ConnectionData(self.connection_id, data))
            self._results.passed(data)

    async def receive(self, data: bytes) -> None:
        """Take bytes that the transport brought, and wait until there may be more of them."""
        self.data_received(data)
        await self.room()

    def has_room(self) -> bool:
        """Tell whether more of the client may be read: what it has sent waits for the server."""
        return self._server is None or self._server.socket.has_room

    async def room(self) -> None:
        """Wait until more of the client may be read."""
        server = self._server
        if server is None or server.socket.has_room:
            return
        self._pauses += 1
        try:
            await server.socket.room()
        finally:
            self._pauses -= 1
            self._last_received = self._loop.time()

    def transport_lost(self, transport: Transport, how: Lost) -> None:
        """Take note that the transport is gone.

        Args:
            transport: The transport.
            how: How it has ended.
        """
        if transport is not self._transport:
            return
        if how is Lost.ORDERLY:
            self._leave("")
        elif self._stateful is not None and self._state is State.OPEN:
            self._suspend(self._stateful)
            self._check()
        else:
            self._leave("The transport was lost.")

    def send(self, message: Message) -> None:
        """Send a message to this client alone, for instance the completion of a stream.

        Raises:
            JsonError: A value of the message has no form in the client's protocol.
        """
        self._put(self._protocol.encode(message))

    async def invoke(self, message: Outgoing, timeout: float) -> Completion:  # noqa: ASYNC109 - the result's limit, not the caller's
        """Call a method of the client for somebody other than its app server, and wait.

        Args:
            message: The invocation; it gets an invocation id for this client.
            timeout: How long to wait, in seconds.

        Returns:
            The completion, which has no error. Its app server sees it too, and knows nothing of
            its id.

        Raises:
            ClientResultError: The client answered with an error, did not answer in time, is gone,
                or speaks a protocol in which the message is not written.
        """
        if self._server is None:
            raise ClientResultError("The client is not connected.")
        record = record_for(message, self._protocol)
        return await self._results.ask(self._protocol, record, self._put, timeout)

    def disconnect(self, error: str | None, *, allow_reconnect: bool) -> None:
        """End the connection from the service's side.

        Args:
            error: What the client is told, or None.
            allow_reconnect: Whether the client may try again on its own.
        """
        match self._state:
            case State.HANDSHAKE | State.OPENING:
                self._write(encode_handshake(error or "The connection was closed."))
            case State.OPEN:
                self._write(self._protocol.encode(Close(error, allow_reconnect)))
        self._leave(error or "")

    def drop(self) -> None:
        """Cut the transport as a broken network would: the client is told nothing."""
        transport = self._transport
        if transport is not None:
            transport.abort()
            self.transport_lost(transport, Lost.BROKEN)

    def overflow(self) -> None:
        """End the connection because the client reads too slowly."""
        self.disconnect("The client reads too slowly.", allow_reconnect=True)

    def from_server(self, data: ConnectionData) -> None:
        """Take bytes of its app server: the first are the answer to its handshake."""
        if data.is_partial:
            self._part += data.payload
            if len(self._part) > self._max_held:
                self.disconnect("A message of the app server has no end.", allow_reconnect=True)
            return
        payload = bytes(self._part) + data.payload if self._part else data.payload
        self._part.clear()
        self._write(payload)
        if payload and self._state is State.OPENING:
            self._opened()
        self._flow.written()

    def closed_by_server(self) -> None:
        """Take note that its app server has ended it."""
        self._end()

    def server_lost(self) -> None:
        """End, since its app server is gone; the client may try again with another one."""
        self._server = None
        self.disconnect(_LOST, allow_reconnect=True)

    def service_lost(self) -> None:
        """End with the instance of the service that has it, of which its app server knows."""
        if self._transport is not None:
            self._transport.abort()
        self._end()

    def move(self, to: ServerConnection) -> None:
        """Go on with another app server, which takes over what the client is in the middle of."""
        before, greeting = self._server, self._greeting
        if before is None or greeting is None:
            return
        before.clients.pop(self.connection_id, None)
        before.send(CloseConnection(self.connection_id, headers=((_MIGRATE_TO, (to.server_id,)),)))
        self._part.clear()
        self._flow.stop()
        # Who has had no answer to its handshake yet is a new client to the other server.
        is_new = self._state is State.OPENING
        self._join(to, greeting, None if is_new else before.server_id)

    def _greet(self, data: bytes) -> bytes:
        """Take the handshake if it is complete, and give what comes after it."""
        try:
            greeting = self._greetings.feed(data)
        except ProtocolError as error:
            self.disconnect(str(error), allow_reconnect=True)
            return b""
        if greeting is None:
            return b""
        server = self._servers.carrier(self.hub, self._negotiated.identity.claims)
        if server is None:
            self.disconnect(_NO_SERVER, allow_reconnect=True)
            return b""
        self._greeting = greeting
        self._protocol = greeting.protocol
        if self._traits.is_stateful and greeting.version == STATEFUL_VERSION:
            self._stateful = StatefulReconnect(
                greeting.protocol, self._traits.max_record, self._traits.max_unacknowledged
            )
        self._state = State.OPENING
        self.form, self.sink = record_form(self._protocol), Relay(self._put)
        self._hubs.add(self)
        self._claims = user_claims(self._negotiated.identity.claims)
        self._negotiated.on_refresh = self._tell_claims
        self._join(server, greeting, None)
        return greeting.rest

    def _join(self, server: ServerConnection, greeting: Greeting, before: str | None) -> None:
        self._server = server
        server.clients[self.connection_id] = self
        server.send(
            open_connection(
                self._negotiated,
                self._request,
                greeting.protocol.name,
                instance_id=self._servers.instance_id,
                migrated_from=before,
            )
        )
        server.send(ConnectionData(self.connection_id, greeting.record))

    def _opened(self) -> None:
        self._state = State.OPEN
        for record in self._held:
            self._write(record)
        self._held.clear()
        is_direct = self._protocol in (JSON, MESSAGEPACK) and self._stateful is None
        if is_direct and self._transport is not None:
            self.form, self.sink = self._transport.form(self._protocol), self._transport.sink
        self._check()

    def _put(self, record: bytes) -> None:
        """Send a message, which waits if the answer to the handshake is not there yet."""
        if self._state in (State.OPEN, State.SUSPENDED):
            self._write(record)
        elif record and self._state is State.OPENING:
            self._held.append(record)
            self._held_bytes += len(record)
            if self._held_bytes > self._max_held:
                self._held.clear()
                self._held_bytes = 0
                # The hub goes through its members right now, so that none can leave.
                self._loop.call_soon(self.overflow)

    def _write(self, record: bytes) -> None:
        if self._stateful is not None and self._state in (State.OPEN, State.SUSPENDED):
            self._keep(self._stateful, record)
        if self._transport is None or not record:
            return
        self._transport.send(record, self._protocol.transfer_format)

    def _count(self, stateful: StatefulReconnect, data: bytes) -> bytes:
        """Give what is for the app server of what a client with stateful reconnect has sent."""
        try:
            passed = stateful.received(data, self._loop.time())
        except ProtocolError as error:
            self.disconnect(str(error), allow_reconnect=True)
            return b""
        if stateful.ack_at < self._deadline.when:
            self._check()
        return passed

    def _keep(self, stateful: StatefulReconnect, record: bytes) -> None:
        """Keep what may have to be sent again."""
        try:
            is_kept = stateful.sent(record)
        except ProtocolError as error:
            _LOGGER.warning("An app server breaks the hub protocol of a client: %s", error)
            return
        if not is_kept:
            # The hub goes through its members right now, so that none can leave.
            self._loop.call_soon(self._unacknowledged)

    def _unacknowledged(self) -> None:
        self.disconnect("The client leaves too much unacknowledged.", allow_reconnect=True)

    def _suspend(self, stateful: StatefulReconnect) -> None:
        """Wait for another transport."""
        self._state = State.SUSPENDED
        self._transport = None
        self._reconnect_by = self._loop.time() + self._timing.reconnect
        stateful.lost()

    def _tell_claims(self) -> None:
        claims = user_claims(self._negotiated.identity.claims)
        if claims != self._claims:
            self._claims = claims
            held = held_claims(self._negotiated.identity.claims)
            self._tell(UpdateConnectionClaims(self.connection_id, held))

    def _tell(self, message: ServiceMessage) -> None:
        """Say something to its app server, if it has one."""
        if self._server is not None:
            self._server.send(message)

    def _waiting(self) -> int:
        return 0 if self._transport is None else self._transport.waiting

    def _check(self) -> None:
        """End a client that has said nothing for too long, and look again when it may have."""
        self._deadline.cancel()
        if self._state is State.HANDSHAKE:
            limit = f"{self._timing.handshake:g}"
            self.disconnect(
                f"The handshake did not come within {limit} seconds.", allow_reconnect=False
            )
            return
        now = self._loop.time()
        if self._state is State.SUSPENDED and now >= self._reconnect_by:
            self._leave("The client did not reconnect in time.")
        elif self._state is not State.SUSPENDED and now >= self._silent_at():
            self.disconnect(None, allow_reconnect=True)
        if self._state is State.CLOSED:
            return
        if self._stateful is not None and now >= self._stateful.ack_at:
            self._write(self._stateful.ack())
        self._deadline = self._deadlines.plan(self._next_check(now), self._check)

    def _next_check(self, now: float) -> float:
        if self._state is State.SUSPENDED:
            return self._reconnect_by
        ack_at = math.inf if self._stateful is None else self._stateful.ack_at
        return min(self._silent_at(), ack_at, now + self._timing.client_timeout)

    def _silent_at(self) -> float:
        if self._traits.keeps_itself_alive or self._pauses:
            return math.inf
        return self._last_received + self._timing.client_timeout

    def _leave(self, error: str) -> None:
        """End, and tell the app server."""
        server = self._server
        self._end()
        if server is not None:
            server.send(CloseConnection(self.connection_id, error))

    def _end(self) -> None:
        if self._state is State.CLOSED:
            return
        self._state = State.CLOSED
        self._deadline.cancel()
        self._hubs.remove(self)
        self.form, self.sink = NOTHING, NOWHERE
        self._held.clear()
        self._part.clear()
        self._flow.stop()
        self._negotiated.on_refresh = None
        self._results.give_up()
        server, self._server = self._server, None
        if server is not None:
            server.clients.pop(self.connection_id, None)
        self._servers.invocations.client_gone(self.connection_id)
        transport, self._transport = self._transport, None
        on_end, self._on_end = self._on_end, _nothing
        # Both know this client: it would stay in memory until a garbage collection.
        if transport is not None:
            transport.close()
        on_end()


def _nothing() -> None:
    """Do nothing: the end is told already."""
