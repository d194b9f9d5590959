"""A connected client, whatever its transport: what its connection asks for is carried out here."""

import asyncio
from collections.abc import Callable
from functools import partial

from ..errors import ClientResultError
from ..protocols.messages import Completion, Message, ReceivedInvocation
from ..protocols.supported import HubProtocol
from ..transports.deadlines import Deadlines
from ..transports.outgoing import Outgoing, record_form
from ..transports.sink import NOTHING, NOWHERE, Relay, Sink
from ..transports.timing import Timing
from .connection import Connection, State
from .connection_events import Answered, Closed, Event, Invoked, Opened, Send
from .event_queue import EventQueue
from .events import ClientHandler, ClientInvocation, ConnectedClient
from .hubs import Hubs
from .negotiations import Negotiated
from .results import Results, record_for
from .transport import Lost, Traits, Transport

__all__ = ["Client"]

_NO_UPSTREAM = "No upstream is configured, so that nothing can answer the invocation."
_FAILED = "The invocation failed."


class Client:
    """One client from the connection of its transport to its end.

    Args:
        negotiated: Its connection, which knows who it is.
        query: What a handler of its events sees of the request that connected it.
        hubs: Where it becomes reachable once it has shaken hands.
        handler: Learns what it does, and answers its invocations; without one they fail.
        events: Runs what the handler does.
        timing: Time limits.
        traits: What its transport is able to do.
        loop: Has the clock, and runs whoever waits for a result.
        deadlines: Those of all clients.
        on_end: Called once, when the client is gone for good.
    """

    piece_bytes = 64 * 1024
    """How much is taken before it is asked whether there is room for more."""

    def __init__(
        self,
        *,
        negotiated: Negotiated,
        query: str,
        hubs: Hubs,
        handler: ClientHandler | None,
        events: EventQueue,
        timing: Timing,
        traits: Traits,
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
        self._query = query
        self._hubs = hubs
        self._handler = handler
        self._events = events
        self._loop = loop
        self._on_end = on_end
        self._transport: Transport | None = None
        self._was_open = False
        self._results = Results(loop)
        self._connection = Connection(loop.time(), timing, traits)
        self._deadlines = deadlines
        self._deadline = deadlines.plan(self._connection.deadline, self._check)

    @property
    def identity(self) -> ConnectedClient:
        """Who the client is now: a refresh changes its claims."""
        return ConnectedClient(
            connection_id=self.connection_id,
            hub=self.hub,
            user_id=self.user_id,
            claims=self._negotiated.identity.claims,
            query=self._query,
        )

    @property
    def protocol(self) -> HubProtocol:
        """What the client speaks; JSON until its handshake."""
        return self._connection.protocol

    @property
    def is_stateful(self) -> bool:
        """Whether the client outlives its transport (stateful reconnect)."""
        return self._connection.is_stateful

    def attach(self, transport: Transport) -> None:
        """Give the client its first transport, or another one in place of a lost one."""
        previous, self._transport = self._transport, transport
        if previous is not None:
            previous.abort()
            self._carry_out(self._connection.lose(self._loop.time()))
            self._carry_out(self._connection.resume(self._loop.time()))
        self._reschedule()

    def data_received(self, data: bytes) -> None:
        """Take bytes that the transport brought."""
        self._carry_out(self._connection.receive(data, self._loop.time()))
        if self._connection.deadline < self._deadline.when:
            self._reschedule()

    async def receive(self, data: bytes) -> None:
        """Take bytes that the transport brought, and wait until there may be more of them.

        Args:
            data: As much as it likes: piece by piece, so that not all of it becomes events at once.
        """
        for start in range(0, len(data), self.piece_bytes):
            self.data_received(data[start : start + self.piece_bytes])
            await self.room()

    def has_room(self) -> bool:
        """Tell whether more of the client may be read: what it has sent waits for the handler."""
        return self._events.has_room(self.connection_id) or self._connection.state is State.CLOSED

    async def room(self) -> None:
        """Wait until more of the client may be read."""
        if self.has_room():
            return
        self._connection.pause_reading()
        try:
            await self._events.room(self.connection_id)
        finally:
            self._connection.resume_reading(self._loop.time())

    def transport_lost(self, transport: Transport, how: Lost) -> None:
        """Take note that a transport is gone; one that was replaced changes nothing.

        Args:
            transport: The transport.
            how: How it has ended.
        """
        if transport is not self._transport:
            return
        if how is Lost.ORDERLY:
            self._carry_out(self._connection.end(None))
        else:
            self._carry_out(self._connection.lose(self._loop.time()))
        self._reschedule()

    def send(self, message: Message) -> None:
        """Send a message to this client alone, for instance the completion of a stream.

        Raises:
            JsonError: A value of the message has no form in the client's protocol.
        """
        self._carry_out(self._connection.send(message))

    async def invoke(self, message: Outgoing, timeout: float) -> Completion:  # noqa: ASYNC109 - the result's limit, not the caller's
        """Call a method of the client and wait for its result.

        Args:
            message: The invocation; it gets an invocation id for this client.
            timeout: How long to wait, in seconds.

        Returns:
            The completion, which has no error.

        Raises:
            ClientResultError: The client answered with an error, did not answer in time, is gone,
                or speaks a protocol in which the message is not written.
        """
        record = self._record(message)

        def call(invocation_id: str) -> None:
            identified = self.protocol.with_invocation_id(record, invocation_id)
            self._carry_out(self._connection.relay(identified))

        return await self._results.ask(call, timeout)

    async def invoke_as(self, invocation_id: str, message: Outgoing, timeout: float) -> Completion:  # noqa: ASYNC109 - as above
        """Call a method of the client under the id that the invocation has already.

        Args:
            invocation_id: The id.
            message: The invocation.
            timeout: How long to wait, in seconds.

        Returns:
            The completion, which may be an error.

        Raises:
            ClientResultError: As `invoke`, or another invocation has this id.
        """
        record = self._record(message)

        def call() -> None:
            self._carry_out(self._connection.relay(record))

        return await self._results.wait(invocation_id, call, timeout=timeout)

    def _record(self, message: Outgoing) -> bytes:
        """Give a message as this client is to get it."""
        if self._connection.state not in (State.OPEN, State.SUSPENDED):
            raise ClientResultError("The client is not connected.")
        return record_for(message, self.protocol)

    def disconnect(self, error: str | None, *, allow_reconnect: bool) -> None:
        """End the connection from the service's side.

        Args:
            error: What the client is told, or None.
            allow_reconnect: Whether the client may try again on its own.
        """
        self._carry_out(self._connection.close(error, allow_reconnect=allow_reconnect))

    def drop(self) -> None:
        """Cut the transport as a broken network would: the client is told nothing."""
        transport = self._transport
        if transport is not None:
            transport.abort()
            self.transport_lost(transport, Lost.BROKEN)

    def overflow(self) -> None:
        """End the connection because the client reads too slowly."""
        self.disconnect("The client reads too slowly.", allow_reconnect=True)

    def _check(self) -> None:
        self._carry_out(self._connection.check(self._loop.time()))
        self._reschedule()

    def _reschedule(self) -> None:
        self._deadline.cancel()
        if self._connection.state is not State.CLOSED:
            self._deadline = self._deadlines.plan(self._connection.deadline, self._check)

    def _carry_out(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Send() if self._transport is not None:
                    self._transport.send(event.payload, event.transfer_format)
                case Opened():
                    self._opened()
                case Invoked():
                    self._invoked(event)
                case Answered():
                    self._results.answered(event.completion)
                case Closed():
                    self._closed(event.error)

    def _opened(self) -> None:
        self._was_open = True
        if self._transport is not None:
            self.form = self._transport.form(self.protocol)
            self.sink = self._transport.sink
        if self.is_stateful:
            self.form, self.sink = record_form(self.protocol), Relay(self._relay)
        self._hubs.add(self)
        self._reschedule()
        if self._handler is not None:
            self._events.put(self.connection_id, partial(self._handler.on_connected, self.identity))

    def _closed(self, error: str | None) -> None:
        self._deadline.cancel()
        self._hubs.remove(self)
        self.form, self.sink = NOTHING, NOWHERE
        self._results.give_up()
        if self._handler is not None and self._was_open:
            self._events.put(
                self.connection_id, partial(self._handler.on_disconnected, self.identity, error)
            )
        self._events.release(self.connection_id)
        transport, self._transport = self._transport, None
        on_end, self._on_end = self._on_end, _nothing
        # Both know this client: it would stay in memory until a garbage collection.
        if transport is not None:
            transport.close()
        on_end()

    def _relay(self, record: bytes) -> None:
        if not record:
            return
        events = self._connection.relay(record)
        if self._connection.state is State.CLOSED:
            # The hub goes through its members right now, so that none can leave.
            self._loop.call_soon(self._carry_out, events)
        else:
            self._carry_out(events)

    def _invoked(self, event: Invoked) -> None:
        message = event.message
        if self._handler is None:
            self._complete(message, error=_NO_UPSTREAM)
        else:
            invocation = ClientInvocation(message, event.record, self._connection.protocol)
            ask = partial(self._ask, self._handler, self.identity, invocation)
            self._events.put(self.connection_id, ask, len(event.record))

    def _complete(self, message: ReceivedInvocation, error: str) -> None:
        if message.invocation_id is not None:
            self.send(Completion(message.invocation_id, error=error))

    async def _ask(
        self, handler: ClientHandler, identity: ConnectedClient, invocation: ClientInvocation
    ) -> None:
        try:
            answer = await handler.on_invocation(identity, invocation)
        except Exception:
            self._complete(invocation.message, error=_FAILED)
            raise
        if invocation.message.invocation_id is None or answer is None:
            return
        if isinstance(answer, Completion):
            self.send(answer)
        elif answer:
            self._carry_out(self._connection.relay(answer))


def _nothing() -> None:
    """Do nothing: the end is told already."""
