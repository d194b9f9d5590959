"""Methods of clients that servers call, and their results."""

import asyncio
from collections.abc import Coroutine

from ..clients.connected import Client
from ..clients.hubs import Hubs, deliver_to
from ..errors import ClientResultError
from ..server_connections.client import RelayedClient
from ..server_connections.live import ServerConnection
from ..server_connections.registry import ServerConnections
from ..server_connections.timing import ServerTiming
from ..service_protocol.messages import (
    ClientCompletion,
    ClientInvocation,
    ErrorCompletion,
    ServiceMapping,
)
from ..transports.outgoing import Outgoing
from .answers import Handlers
from .sends import as_written

__all__ = ["ResultHandlers"]

_TIMEOUT = 600.0
"""How long a client may take, in seconds (specs/ClientInvocation.md: ten minutes at most)."""


class ResultHandlers:
    """Brings invocations to clients, and their results to whoever waits.

    Args:
        hubs: Where the clients are.
        servers: Which servers have them.
        timing: How long an invocation takes on its way.
    """

    def __init__(self, hubs: Hubs, servers: ServerConnections, timing: ServerTiming) -> None:
        self._hubs = hubs
        self._servers = servers
        self._timing = timing
        self._tasks: set[asyncio.Task[None]] = set()

    def handlers(self) -> Handlers:
        """Give what carries out each message."""
        return {
            ClientInvocation: self._invoke,
            ClientCompletion: self._completed,
            ErrorCompletion: self._failed,
        }

    def _invoke(self, server: ServerConnection, asked: ClientInvocation) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(self._timing.invocation, self._bring, server, asked)

    def _bring(self, server: ServerConnection, asked: ClientInvocation) -> None:
        if self._servers.find(server.hub, server.connection_id) is not server:
            return
        answer = self._brought(server, asked)
        if answer is not None:
            server.send(answer)

    def _brought(
        self, server: ServerConnection, asked: ClientInvocation
    ) -> ErrorCompletion | ServiceMapping | None:
        member = self._hubs.connection(server.hub, asked.connection_id).get(asked.connection_id)
        if member is None:
            return _refusal(asked, "There is no such connection.")
        if self._servers.invocations.is_waiting(asked.invocation_id):
            return _refusal(asked, "Another invocation has this id.")
        message = Outgoing(as_written(asked.payloads))
        if not message.record(member.protocol):
            return _refusal(
                asked, f"It is not written in the client's hub protocol, {member.protocol.name}."
            )
        self._servers.invocations.asked(server, asked)
        if isinstance(member, Client):
            self._run(self._ask(member, asked, message))
            return None
        deliver_to([member], message)
        carrier = member.server if isinstance(member, RelayedClient) else None
        if carrier is None or carrier.server_id == server.server_id:
            return None
        # The client's server has to know the invocation, to tell its result from the client's
        # other messages.
        carrier.send(asked)
        return ServiceMapping(asked.invocation_id, asked.connection_id, self._servers.instance_id)

    def _completed(self, _server: ServerConnection, completion: ClientCompletion) -> None:
        self._servers.invocations.complete(
            completion.invocation_id, completion.protocol, completion.payload
        )

    def _failed(self, _server: ServerConnection, completion: ErrorCompletion) -> None:
        self._servers.invocations.fail(completion.invocation_id, completion.error)

    async def _ask(self, client: Client, asked: ClientInvocation, message: Outgoing) -> None:
        """Ask a client that no app server carries."""
        invocations = self._servers.invocations
        protocol = client.protocol
        try:
            completion = await client.invoke_as(asked.invocation_id, message, _TIMEOUT)
        except ClientResultError as error:
            invocations.fail(asked.invocation_id, str(error))
        else:
            invocations.complete(
                asked.invocation_id, protocol.name, protocol.framed(completion.record)
            )

    def _run(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _refusal(asked: ClientInvocation, error: str) -> ErrorCompletion:
    return ErrorCompletion(asked.invocation_id, asked.connection_id, asked.caller_server_id, error)
