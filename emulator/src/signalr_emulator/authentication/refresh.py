"""Authentication refresh: who a client is from now on, without a new connection.

Source: Azure/azure-signalr, issues 2261 and 2268: the user never changes, the claims of the
connection itself stay, and its end moves only if it has one.
"""

import math
from collections.abc import Sequence

from ..errors import ForbiddenError
from .claims import SYSTEM_PREFIX, Claim, claims_payload, held_claims
from .client_tokens import CLOSES_ON_EXPIRATION, EXPIRES_ON, ClientIdentity, client_identity

__all__ = ["refreshed"]

_END = frozenset((CLOSES_ON_EXPIRATION, EXPIRES_ON))


def refreshed(
    identity: ClientIdentity, claims: Sequence[Claim] | None, expires_on: float
) -> ClientIdentity:
    """Give who a client is after a refresh.

    Args:
        identity: Who it was.
        claims: What takes the place of the user's claims; None leaves them. Of those that are about
            the connection, it keeps the ones that it has, and gets no end by the others.
        expires_on: When the new authentication ends, in seconds since the epoch; infinite for
            never. It moves the end of a connection that has one, and never to an earlier time.

    Raises:
        ForbiddenError: The claims are those of another user.
    """
    held = claims_payload(held_claims(identity.claims))
    if claims is not None:
        given = claims_payload(claims)
        if client_identity(given).user_id != identity.user_id:
            raise ForbiddenError(
                "The claims are those of another user than the connection's.",
                target="claims",
                code="ConnectionUserMismatch",
            )
        own = {kind: value for kind, value in held.items() if kind.startswith(SYSTEM_PREFIX)}
        no_end = {kind: value for kind, value in given.items() if kind not in _END}
        held = no_end | own
    if identity.closes_at is not None and math.isfinite(expires_on):
        held[EXPIRES_ON] = str(max(int(identity.closes_at), int(expires_on)))
    return client_identity(held)
