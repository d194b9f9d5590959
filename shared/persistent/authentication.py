"""The authentication of connections, which their secret connection tokens name."""

from ..keys.client_token import Claims
from ..rest.authentication import (
    ConnectionClaim,
    check_connection_token,
    claim_pairs,
    seconds_until,
)
from ..server_connections.connections import HubConnections
from ..service_protocol import requests as ask
from ..service_protocol.acks import Answer, read_claims
from ..service_protocol.fields import FOR_EVER, Timestamp
from .exchange import Exchange

__all__ = ["Authentication"]


class Authentication(Exchange):
    """The operations about the authentication of connections."""

    async def refresh_connection_authentication(
        self,
        hub: str,
        connection_token: str,
        *,
        expires_on: float | None = None,
        claims: Claims | None = None,
    ) -> tuple[ConnectionClaim, ...]:
        """Renew the authentication of a connection: its claims and its end.

        Args:
            hub: Name of the hub.
            connection_token: The connection's secret token.
            expires_on: When the new one ends, in epoch seconds; `None` for never.
            claims: What the connection's claims are from now on; `None` leaves them.

        Returns:
            The claims that hold from now on. The client's next token is made by
            `SignalRServiceClient`.

        Raises:
            ConnectionNotFoundError: No connection of the hub has this token.
            ConnectionUserMismatchError: The connection belongs to another user.
            SignalRError: As `send_to_all`.
        """
        request = ask.RefreshAuth(
            connection_token=check_connection_token(connection_token),
            claims=tuple(claim_pairs(claims or {})),
            expires=self._end(expires_on),
        )
        return await self._claims(hub, request)

    async def connection_claims(
        self, hub: str, connection_token: str
    ) -> tuple[ConnectionClaim, ...]:
        """Return the claims of a connection; a type may come more than once.

        Args:
            hub: Name of the hub.
            connection_token: The connection's secret token.

        Raises:
            ConnectionNotFoundError: No connection of the hub has this token.
            SignalRError: As `send_to_all`.
        """
        request = ask.GetConnectionClaims(connection_token=check_connection_token(connection_token))
        return await self._claims(hub, request)

    async def _claims(
        self, hub: str, request: ask.RefreshAuth | ask.GetConnectionClaims
    ) -> tuple[ConnectionClaim, ...]:
        async def answered(connections: HubConnections) -> Answer:
            return await connections.ask(request, request.connection_token)

        answer = await self._everywhere("only", hub, answered)
        return tuple(ConnectionClaim(*each) for each in read_claims(answer.payload))

    def _end(self, expires_on: float | None) -> Timestamp:
        if expires_on is None:
            return FOR_EVER
        seconds_until(expires_on, self._clock())
        return Timestamp(int(expires_on))
