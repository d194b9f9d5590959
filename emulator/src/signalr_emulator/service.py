"""The whole state of an emulator, put together in one place."""

from dataclasses import dataclass, field
from typing import Self

from signalr_emulator.access_keys import AccessKeys
from signalr_emulator.authentication import Authenticator
from signalr_emulator.clock import Clock
from signalr_emulator.config import Config
from signalr_emulator.entra import SigningKey, Tenant
from signalr_emulator.hubs import Hubs
from signalr_emulator.identities import Identities, IdentityKind
from signalr_emulator.negotiations import Negotiations
from signalr_emulator.roles import RoleAssignment, RoleAssignments

__all__ = ["Activity", "Service"]


@dataclass(slots=True)
class Activity:
    """What has been asked of the emulator since its start, refused requests included.

    Attributes:
        identity_requests: Requests to the identity endpoint.
        key_requests: Requests for a temporary access key.
    """

    identity_requests: int = 0
    key_requests: int = 0


@dataclass(frozen=True, slots=True)
class Service:
    """The state behind both planes."""

    config: Config
    clock: Clock
    tenant: Tenant
    identities: Identities
    role_assignments: RoleAssignments
    authenticator: Authenticator
    access_keys: AccessKeys
    negotiations: Negotiations
    hubs: Hubs
    activity: Activity = field(default_factory=Activity)

    @classmethod
    def create(
        cls, config: Config, *, clock: Clock | None = None, signing_key: SigningKey | None = None
    ) -> Self:
        """Make the state of a new emulator.

        Args:
            config: What is chosen.
            clock: The emulator's clock; a new one if None.
            signing_key: The tenant's key pair; a new one if None.
        """
        clock = clock or Clock()
        tenant = Tenant(config.tenant_id, signing_key or SigningKey.generate(), clock)
        return cls(
            config=config,
            clock=clock,
            tenant=tenant,
            identities=Identities(config.identities),
            role_assignments=_role_assignments(config),
            authenticator=Authenticator(tenant),
            access_keys=AccessKeys(clock),
            negotiations=Negotiations(config.timing.connect),
            hubs=Hubs(),
        )


def _role_assignments(config: Config) -> RoleAssignments:
    assignments = RoleAssignments(
        management_groups={config.subscription: config.management_group},
    )
    if config.role is None:
        return assignments
    for identity in config.identities:
        if identity.kind is IdentityKind.SYSTEM_ASSIGNED:
            assignments.assignments.append(
                RoleAssignment(identity.principal_id, config.role, config.resource_id)
            )
    return assignments
