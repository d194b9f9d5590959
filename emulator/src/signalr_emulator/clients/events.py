"""What clients do that somebody may want to answer: connect, invoke, disconnect."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..protocols.messages import Completion, ReceivedInvocation
from ..protocols.supported import HubProtocol

__all__ = ["ClientHandler", "ClientInvocation", "ConnectedClient"]


@dataclass(frozen=True, slots=True)
class ConnectedClient:
    """Who a client is.

    Attributes:
        connection_id: Id that is unique within the service.
        hub: Name of the hub, in lower case.
        user_id: Who it is, or None.
        claims: Every claim of its token, or of its last refresh.
        query: Query of the request with which it connected, without the question mark and
            without `access_token` and `id`.
    """

    connection_id: str
    hub: str
    user_id: str | None
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)
    query: str = ""


@dataclass(frozen=True, slots=True)
class ClientInvocation:
    """A client's call of a method.

    Attributes:
        message: The call.
        record: The call as it came, in `protocol` and without its framing.
        protocol: What the client speaks.
    """

    message: ReceivedInvocation
    record: bytes
    protocol: HubProtocol


class ClientHandler(Protocol):
    """Answers to what clients do. Events of one client come one after another."""

    async def on_connected(self, client: ConnectedClient) -> None:
        """Learn of a client that has shaken hands."""

    async def on_invocation(
        self, client: ConnectedClient, invocation: ClientInvocation
    ) -> Completion | bytes | None:
        """Answer a call.

        Returns:
            The completion; or framed messages in the client's protocol, sent as they are; or None
            for no answer. Without an invocation id the result is ignored.
        """

    async def on_disconnected(self, client: ConnectedClient, error: str | None) -> None:
        """Learn that a client is gone; `error` is None for an orderly end."""
