"""The tenant as an issuer of assertions: a managed identity in place of an app's secret.

Source: Microsoft Entra Workload ID, "Configure an application to trust a managed identity" (a
user-assigned identity alone; issuer is the tenant's of version 2, subject the principal id).
"""

from typing import Any

from ..clock import Clock
from ..errors import AuthenticationError, TokenRequestError
from .federation import TOKEN_EXCHANGE
from .identities import Identities
from .lifetime import check_assertion_lifetime
from .tenant import TOKEN_EXCHANGE_ID, Tenant

__all__ = ["ManagedIdentityIssuer"]


class ManagedIdentityIssuer:
    """Checks tokens of managed identities that stand for app registrations.

    Args:
        tenant: Issues the tokens.
        identities: The managed identities of the tenant.
        clock: Tells when tokens begin and end.
    """

    def __init__(self, tenant: Tenant, identities: Identities, clock: Clock) -> None:
        self._tenant = tenant
        self._identities = identities
        self._clock = clock

    @property
    def urls(self) -> frozenset[str]:
        """What `iss` of the tenant's tokens can be."""
        return self._tenant.issuers

    def federated_claims(self, token: str, now: float) -> dict[str, Any]:  # noqa: ARG002 - the protocol's own
        """Give the claims of a token that is valid now; as `TokenIssuer` has it.

        Its times are on the emulator's clock, since the emulator has made it.
        """
        try:
            claims = dict(self._tenant.signed_claims(token))
        except AuthenticationError as error:
            raise TokenRequestError(401, "invalid_client", 50013, str(error)) from error
        check_assertion_lifetime(claims, self._clock.now(), self._clock.start_limit)
        if not self._identities.is_user_assigned(claims.get("oid")):
            raise TokenRequestError(
                401, "invalid_client", 700226, "Only user-assigned managed identities may do so."
            )
        # Federated credentials have the URI of the API, and its tokens the client id.
        is_for_exchange = claims.get("aud") == TOKEN_EXCHANGE_ID
        return claims | {"aud": TOKEN_EXCHANGE} if is_for_exchange else claims
