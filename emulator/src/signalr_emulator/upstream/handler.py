"""The handler of clients: what they do goes to the upstream, what it answers comes back.

Source of what happens to streams: Azure/azure-signalr, issue 2132: the method that a client calls
gives nothing back, and whoever makes the items sends and completes the stream by REST.
"""

from http import HTTPStatus

from ..authentication.claims import user_claims
from ..clients.events import ClientInvocation, ConnectedClient
from ..protocols.messages import Completion
from .messages import (
    Answer,
    UpstreamClient,
    answer,
    connected,
    disconnected,
    invoked,
)
from .sender import Upstream

__all__ = ["UpstreamHandler"]

_NO_TEMPLATE = "No upstream is configured for it, so that nothing can answer the invocation."


class UpstreamHandler:
    """Hands the events of clients to an upstream.

    Args:
        upstream: Where they go.
    """

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def on_connected(self, client: ConnectedClient) -> None:
        """Tell the upstream of a client that has shaken hands."""
        await self._upstream.send(_seen(client), connected())

    async def on_invocation(
        self, client: ConnectedClient, invocation: ClientInvocation
    ) -> Answer | None:
        """Ask the upstream, and give what it answers."""
        message = invocation.message
        protocol = invocation.protocol.name
        event = invoked(protocol, message.target, invocation.record)
        response = await self._upstream.send(_seen(client), event)
        if response is None:
            if message.invocation_id is None:
                return None
            return Completion(message.invocation_id, error=_NO_TEMPLATE)
        status = response.status or HTTPStatus.INTERNAL_SERVER_ERROR
        given = answer(protocol, message.invocation_id, status, response.body)
        if message.is_stream and isinstance(given, Completion) and given.error is None:
            # The upstream has taken the call: the stream goes on by REST.
            return None
        return given

    async def on_disconnected(self, client: ConnectedClient, error: str | None) -> None:
        """Tell the upstream that a client is gone."""
        await self._upstream.send(_seen(client), disconnected(error))


def _seen(client: ConnectedClient) -> UpstreamClient:
    return UpstreamClient(
        connection_id=client.connection_id,
        hub=client.hub,
        user_id=client.user_id,
        claims=user_claims(client.claims),
        query=client.query,
    )
