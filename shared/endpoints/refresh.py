"""Renews the authentication of a connection, at the one of several endpoints that has it.

What the service does with it, and what a client does with the new token: Azure/azure-signalr #2261
and #2268.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..keys.client_token import SYSTEM_PREFIX, USER_CLAIMS
from ..keys.connection_options import AUTHENTICATION_END, USER_ID
from ..rest.authentication import ConnectionClaim, claim_pairs
from ..transport.flow import Flow
from .endpoint import ClientAccess, ServiceEndpoint, TokenRequest
from .negotiation import Negotiation, check_claimless, made_by_service

__all__ = ["RefreshRequest", "refresh_at"]


class RefreshRequest(NamedTuple):
    """What the authentication of a connection shall be from now on.

    Args:
        connection_token: Names the connection. It is a secret.
        expires_on: When the authentication ends, in epoch seconds; `None` for never.
        token: What the next client token shall say; without claims those of the connection.
    """

    connection_token: str
    expires_on: float | None
    token: TokenRequest


def refresh_at(
    negotiation: Negotiation,
    endpoint: ServiceEndpoint,
    request: RefreshRequest,
    clock: Callable[[], float],
) -> Flow[ClientAccess]:
    """Renew the authentication of a connection at an endpoint that may have it.

    Args:
        negotiation: Knows who makes client tokens.
        endpoint: The endpoint.
        request: What the authentication shall be.
        clock: Current time in epoch seconds.

    Returns:
        The client's next token, with the claims that hold from now on.

    Raises:
        InvalidArgumentError: A claim breaks a rule.
        TokenTooLargeError: The claims do not fit in a token.
        ConnectionNotFoundError: The endpoint does not have the connection.
        ConnectionUserMismatchError: The connection belongs to another user.
        ServiceError: The endpoint fails, or has no key for the next token.
    """
    key = yield from negotiation.key_of(endpoint)
    claims: Sequence[ConnectionClaim] | None = None
    if request.token.claims is not None:
        claims = _claims(request.token)
        if key is None:
            check_claimless(request.token)
        else:
            # What has no place in a token is refused before anything changes at the connection.
            endpoint.sign(key, request.token)
    held = yield from endpoint.rest.refresh_authentication(
        request.token.hub, request.connection_token, expires_on=request.expires_on, claims=claims
    )
    token = _token(request.token, held, clock())
    # Not the one of before: it may have ended while the service was asked.
    key = yield from negotiation.key_of(endpoint)
    if key is None:
        return (yield from made_by_service(endpoint, token))
    return endpoint.sign(key, token)


def _claims(token: TokenRequest) -> list[ConnectionClaim]:
    """Return all claims that a client token has, as a connection has them."""
    user = [] if token.user_id is None else [ConnectionClaim(USER_ID, token.user_id)]
    return [*user, *claim_pairs(token.system_claims or {}), *claim_pairs(token.claims or {})]


def _token(asked: TokenRequest, held: Sequence[ConnectionClaim], now: float) -> TokenRequest:
    """Return what the next token says: the claims that hold, until the connection's own end."""
    system = {each.type: each.value for each in held if each.type.startswith(SYSTEM_PREFIX)}
    others = [each for each in held if not each.type.startswith(SYSTEM_PREFIX)]
    user_id = system.pop(USER_ID, None)
    if user_id is None:
        # The first token was made by somebody else, who named the user by another claim.
        user_id = next((each.value for each in others if each.type in USER_CLAIMS), None)
    end = system.get(AUTHENTICATION_END, "")
    lifetime = asked.lifetime
    if end.isdecimal():
        # Of a connection that ends right now the client still has to be told something.
        lifetime = max(1.0, min(lifetime, int(end) - now))
    return TokenRequest(asked.hub, user_id, others, lifetime, system, asked.unique)
