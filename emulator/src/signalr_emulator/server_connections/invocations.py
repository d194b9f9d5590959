"""Who waits for the result of a client's method, by the invocation's id.

Source: Microsoft.Azure.SignalR 1.34.0: the server of the client writes its own id where that of the
server that asks stands, so that only the invocation's id tells who that is.
"""

from collections import defaultdict
from typing import Final, NamedTuple

from ..service_protocol.messages import ClientCompletion, ClientInvocation, ErrorCompletion
from .live import ServerConnection

__all__ = ["MAX_WAITING", "ClientInvocations"]

MAX_WAITING: Final = 100_000
"""How many invocations may wait; one more takes the place of the oldest."""


class _Waiting(NamedTuple):
    caller: ServerConnection
    invocation: ClientInvocation


class ClientInvocations:
    """The invocations of clients that have no result yet."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}
        self._of_client: defaultdict[str, set[str]] = defaultdict(set)

    def is_waiting(self, invocation_id: str) -> bool:
        """Tell whether somebody waits for a result."""
        return invocation_id in self._waiting

    def asked(self, caller: ServerConnection, invocation: ClientInvocation) -> None:
        """Take note of an invocation that has gone to its client."""
        if len(self._waiting) >= MAX_WAITING:
            self.fail(next(iter(self._waiting)), "Too many invocations wait for their result.")
        self._waiting[invocation.invocation_id] = _Waiting(caller, invocation)
        self._of_client[invocation.connection_id].add(invocation.invocation_id)

    def complete(self, invocation_id: str, protocol: str | None, payload: bytes) -> None:
        """Give a result to whoever waits for it; nobody is no error.

        Args:
            invocation_id: The invocation.
            protocol: Name of the hub protocol of the result.
            payload: The client's completion with its framing. Empty if the caller has it already,
                since it is the client's own server.
        """
        waiting = self._take(invocation_id)
        if waiting is None or not payload:
            return
        asked = waiting.invocation
        waiting.caller.send(
            ClientCompletion(
                asked.invocation_id,
                asked.connection_id,
                asked.caller_server_id,
                protocol,
                payload,
            )
        )

    def fail(self, invocation_id: str, error: str) -> None:
        """Tell whoever waits for a result that there will be none; nobody is no error."""
        waiting = self._take(invocation_id)
        if waiting is None:
            return
        asked = waiting.invocation
        waiting.caller.send(
            ErrorCompletion(asked.invocation_id, asked.connection_id, asked.caller_server_id, error)
        )

    def client_gone(self, connection_id: str) -> None:
        """Fail what a client that is gone has not answered: its server says nothing of it."""
        for invocation_id in sorted(self._of_client.get(connection_id, ())):
            self.fail(invocation_id, "The client is gone.")

    def caller_gone(self, caller: ServerConnection) -> None:
        """Forget what a server connection that is gone has asked."""
        for invocation_id, waiting in list(self._waiting.items()):
            if waiting.caller is caller:
                self._take(invocation_id)

    def _take(self, invocation_id: str) -> _Waiting | None:
        waiting = self._waiting.pop(invocation_id, None)
        if waiting is None:
            return None
        connection_id = waiting.invocation.connection_id
        self._of_client[connection_id].discard(invocation_id)
        if not self._of_client[connection_id]:
            del self._of_client[connection_id]
        return waiting
