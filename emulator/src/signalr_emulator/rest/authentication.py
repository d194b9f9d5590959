"""The authentication of a connection: refreshing it, and reading its claims."""

import asyncio
from collections.abc import Mapping

from aiohttp import web

from ..authentication.claims import Claim, held_claims
from ..authentication.refresh import refreshed
from ..clients.negotiations import Negotiated
from ..errors import InvalidRequestError
from ..operations.authentication_refresh import (
    AuthenticationRefresh,
    claims_answer,
    no_such_connection,
    parse_connection_token,
    parse_refresh,
)
from ..operations.table import Task
from ..state.resource import Resource
from ..state.service import Service
from .call import Call, Handler
from .tokens import ClientTokens

__all__ = ["AuthenticationOperations", "ConnectionAuthentication"]

_LIFETIME = 3600
"""Of the client token that the claims have to fit in, in seconds: the default of SDKs."""


class ConnectionAuthentication:
    """Gives connections new claims and a later end, whoever asks for it.

    Args:
        service: The state of the emulator.
        resource: The SignalR resource that they belong to.
        tokens: Makes the client token that new claims have to fit in.
    """

    def __init__(self, service: Service, resource: Resource, tokens: ClientTokens) -> None:
        self._is_on = service.config.authentication_refresh
        self._clock = service.clock
        self._negotiations = resource.negotiations
        self._tokens = tokens

    def refresh(self, asked: AuthenticationRefresh, hub: str, scheme: str) -> tuple[Claim, ...]:
        """Refresh a connection.

        Args:
            asked: What is asked for.
            hub: Name of the hub, in lower case.
            scheme: `http` or `https`, by which the service was reached.

        Returns:
            The claims that the connection holds from now on.

        Raises:
            InvalidRequestError: The time is over, or the claims are too much for a token.
            NotExistedError: There is no such connection.
            ForbiddenError: The claims are those of another user.
        """
        if asked.expires_on <= self._clock.now():
            raise InvalidRequestError("The expireTime is in the past.", target="expireTime")
        negotiated = self._negotiated(asked.connection_token, hub)
        identity = refreshed(negotiated.identity, asked.claims, asked.expires_on)
        if asked.claims is not None:
            self._tokens.issue(scheme, hub, identity.claims, lifetime=_LIFETIME, target="claims")
        negotiated.refresh(identity)
        return held_claims(identity.claims)

    def claims(self, connection_token: str, hub: str) -> tuple[Claim, ...]:
        """Give the claims that a connection holds.

        Raises:
            NotExistedError: There is no such connection.
        """
        return held_claims(self._negotiated(connection_token, hub).identity.claims)

    def _negotiated(self, connection_token: str, hub: str) -> Negotiated:
        now = asyncio.get_running_loop().time()
        negotiated = self._negotiations.alive(connection_token, hub, now) if self._is_on else None
        if negotiated is None or not negotiated.has_secret_token:
            raise no_such_connection()
        return negotiated


class AuthenticationOperations:
    """The operations on the authentication of a connection.

    Args:
        authentication: What carries them out.
    """

    def __init__(self, authentication: ConnectionAuthentication) -> None:
        self._authentication = authentication

    def handlers(self) -> Mapping[Task, Handler]:
        """Give what carries out each operation."""
        return {
            Task.REFRESH_AUTHENTICATION: self._refresh,
            Task.CONNECTION_CLAIMS: self._read_claims,
        }

    async def _refresh(self, call: Call) -> web.Response:
        hub = call.hub
        asked = parse_refresh(await call.json())
        return claims_answer(self._authentication.refresh(asked, hub, call.request.scheme))

    async def _read_claims(self, call: Call) -> web.Response:
        hub = call.hub
        connection_token = parse_connection_token(await call.json())
        return claims_answer(self._authentication.claims(connection_token, hub))
