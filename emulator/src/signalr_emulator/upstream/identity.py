"""As whom a SignalR resource calls its upstream: its access keys and its managed identity.

Source: "Managed identities for Azure SignalR Service": the token has version 1, and the resource
of the upstream settings as its audience.
"""

from collections.abc import Callable, Sequence

from ..clock import Clock
from ..entra.identities import Identity, service_identity
from ..entra.tenant import IssuedToken, Tenant
from .sender import Upstream, UpstreamCall
from .settings import UpstreamConfig

__all__ = ["ServiceTokens", "make_upstream"]

_RENEW_BEFORE = 300
"""How long before its end a token is replaced, in seconds."""

_DEFAULT_AUDIENCE = "https://signalr.azure.com"


class ServiceTokens:
    """Entra tokens of one identity; a signature takes a millisecond, so they are kept.

    Args:
        identity: Whose tokens they are.
        tenant: Signs them.
        clock: Tells when they end.
    """

    def __init__(self, identity: Identity, tenant: Tenant, clock: Clock) -> None:
        self._identity = identity
        self._tenant = tenant
        self._clock = clock
        self._tokens: dict[str, IssuedToken] = {}

    def token(self, audience: str) -> str:
        """Give a token that is valid for some minutes at least.

        Args:
            audience: What becomes `aud`; empty for the service's own.
        """
        audience = audience or _DEFAULT_AUDIENCE
        kept = self._tokens.get(audience)
        now = self._clock.now()
        # The upstream measures on its own clock, for which a token from before a reset is too new.
        if kept is None or not kept.not_before <= now < kept.expires_on - _RENEW_BEFORE:
            kept = self._tenant.issue(self._identity, audience)
            self._tokens[audience] = kept
        return kept.text


def make_upstream(
    config: UpstreamConfig,
    resource_id: str,
    tenant: Tenant,
    clock: Clock,
    *,
    signing_keys: Callable[[], Sequence[str]],
    called: Callable[[UpstreamCall], None],
) -> Upstream:
    """Make the upstream of one SignalR resource.

    Args:
        config: Templates and limits.
        resource_id: Azure resource id of the SignalR service, whose identity calls.
        tenant: Signs the identity's tokens.
        clock: The emulator's clock.
        signing_keys: Gives the resource's access keys.
        called: Learns of each call.
    """
    tokens = ServiceTokens(service_identity(resource_id), tenant, clock)
    return Upstream(
        config, signing_keys=signing_keys, token=tokens.token, clock=clock, called=called
    )
