"""The whole state of an emulator, put together in one place."""

from dataclasses import dataclass, field, replace
from typing import Self

from ..access_control.roles import Role, RoleAssignment, RoleAssignments
from ..access_control.store import RoleStore
from ..clock import Clock
from ..configuration.settings import EXTERNAL_ISSUER, Config
from ..entra.applications import Applications
from ..entra.federation import ExternalIssuer
from ..entra.identities import Identities, IdentityKind
from ..entra.managed_identity_issuer import ManagedIdentityIssuer
from ..entra.tenant import SigningKey, Tenant
from ..faults.rules import Faults
from .journal import Journal
from .keys import new_seed
from .resource import Resource

__all__ = ["Activity", "Service"]


@dataclass(slots=True)
class Activity:
    """What has been asked of the emulator since its start, refused requests included.

    Attributes:
        identity_requests: Requests to the identity endpoint.
    """

    identity_requests: int = 0


@dataclass(frozen=True, slots=True)
class Service:
    """The state behind every plane.

    Attributes:
        config: What is chosen.
        clock: Measures every lifetime.
        tenant: Issues the Entra tokens.
        identities: The managed identities of the app.
        applications: The app registrations of the tenant.
        external_issuer: Makes the tokens of federated credentials.
        role_assignments: Who may do what.
        roles: The same with the role definitions, under Resource Manager's rules.
        resources: The SignalR resources; there is at least one.
        journal: What happened last on the data planes.
        activity: What was asked of the control plane.
        faults: What disturbs requests.
    """

    config: Config
    clock: Clock
    tenant: Tenant
    identities: Identities
    applications: Applications
    external_issuer: ExternalIssuer
    role_assignments: RoleAssignments
    roles: RoleStore
    resources: tuple[Resource, ...]
    journal: Journal
    activity: Activity = field(default_factory=Activity)
    faults: Faults = field(default_factory=Faults)

    @classmethod
    def create(
        cls,
        config: Config,
        *,
        clock: Clock | None = None,
        signing_key: SigningKey | None = None,
        seed: bytes | None = None,
    ) -> Self:
        """Make the state of a new emulator.

        Args:
            config: What is chosen.
            clock: The emulator's clock; a new one if None.
            signing_key: The tenant's key pair; a new one if None.
            seed: What all other keys are derived from, 32 bytes; a new one if None.
        """
        clock = clock or Clock()
        seed = seed or new_seed()
        assignments = _role_assignments(config)
        tenant = Tenant(
            config.tenant_id,
            signing_key or SigningKey.generate(),
            clock,
            domain=config.tenant_domain,
        )
        external_issuer = ExternalIssuer.derive(EXTERNAL_ISSUER, seed)
        identities = Identities(config.identities)
        journal = Journal()
        issuers = (external_issuer, ManagedIdentityIssuer(tenant, identities, clock))
        return cls(
            config=config,
            clock=clock,
            tenant=tenant,
            identities=identities,
            applications=Applications(config.applications, issuers),
            external_issuer=external_issuer,
            role_assignments=assignments,
            roles=RoleStore(clock, assignments),
            resources=tuple(
                Resource.create(
                    resource, config, clock=clock, tenant=tenant, seed=seed, journal=journal
                )
                for resource in config.resources
            ),
            journal=journal,
        )

    def give_role(self, role: Role | None) -> None:
        """Give the app the role that it would have had with `--role`, and nobody any other."""
        self.roles.assign_only(_role_assignments(replace(self.config, role=role)).assignments)

    @property
    def first(self) -> Resource:
        """The resource that an app with a single endpoint uses."""
        return self.resources[0]


def _role_assignments(config: Config) -> RoleAssignments:
    assignments = RoleAssignments(
        management_groups={config.subscription: config.management_group},
    )
    if config.role is None:
        return assignments
    principal_ids = [
        *(
            identity.principal_id
            for identity in config.identities
            if identity.kind is IdentityKind.SYSTEM_ASSIGNED
        ),
        *(application.principal_id for application in config.applications),
    ]
    assignments.assignments += [
        RoleAssignment(principal_id, config.role, resource.resource_id)
        for principal_id in principal_ids
        for resource in config.resources
    ]
    return assignments
