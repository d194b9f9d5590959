"""What can be chosen about an emulator. The names that Azure would give out are fixed here."""

from dataclasses import dataclass, field

from ..access_control.roles import SERVICE_OWNER, Role
from ..admission.rules import LOOPBACK_ORIGINS
from ..authentication.access_keys import EMULATOR_KEY
from ..entra.applications import Application
from ..entra.federation import FederatedCredential
from ..entra.identities import Identity, IdentityKind
from ..server_connections.timing import ServerTiming
from ..transports.timing import Timing
from ..upstream.settings import UpstreamConfig
from .service_mode import ServiceMode

__all__ = [
    "APP_REGISTRATION",
    "EXTERNAL_ISSUER",
    "SYSTEM_ASSIGNED",
    "USER_ASSIGNED",
    "Config",
    "FurtherService",
    "ResourceConfig",
    "signalr_resource_id",
]

_TENANT_ID = "7d3e5a90-61bc-4c2f-9f08-a4b7d21e6c83"
_SUBSCRIPTION = "/subscriptions/5c9a1f0e-3b7d-4e62-9a58-1d0f6b2c7e34"


def signalr_resource_id(subscription: str, group: str, name: str) -> str:
    """Give the resource id of a SignalR resource.

    Args:
        subscription: Resource id of the subscription.
        group: Name of the resource group.
        name: Name of the resource.
    """
    return (
        f"{subscription}/resourceGroups/{group}/providers/Microsoft.SignalRService/SignalR/{name}"
    )


SYSTEM_ASSIGNED = Identity(
    kind=IdentityKind.SYSTEM_ASSIGNED,
    principal_id="b8f6d2a4-0c13-4f7e-8a95-6e21c3d47f50",
    client_id="2e7b9c51-84fd-4a06-b3e8-f19d5c60a7b2",
    resource_id=f"{_SUBSCRIPTION}/resourceGroups/local/providers/Microsoft.Web/sites/local-app",
)
"""The system-assigned managed identity of the app."""

USER_ASSIGNED = Identity(
    kind=IdentityKind.USER_ASSIGNED,
    principal_id="f27c0d85-93ae-4b16-8d40-5be9a61f7c32",
    client_id="64e1b8d3-0a7f-4925-9c6b-d30f52a8e719",
    resource_id=(
        f"{_SUBSCRIPTION}/resourceGroups/local/providers/Microsoft.ManagedIdentity"
        "/userAssignedIdentities/local-identity"
    ),
)
"""A user-assigned managed identity of the app. It has no role: the app registration trusts it."""

EXTERNAL_ISSUER = "https://issuer.signalr-emulator.invalid"
"""Issuer outside the tenant whose tokens the emulator can make; nothing answers there."""

APP_REGISTRATION = Application(
    client_id="9d40c1b7-5e2f-4c88-a6d3-07f1be924a65",
    principal_id="c3a91e58-7f06-4b2d-9c74-e85d20b1f396",
    secret="local-emulator",  # noqa: S106 - protects nothing, as the identity header
    federated_credentials=(
        FederatedCredential(EXTERNAL_ISSUER, "system:serviceaccount:local:local-app"),
        FederatedCredential(
            f"https://login.microsoftonline.com/{_TENANT_ID}/v2.0", USER_ASSIGNED.principal_id
        ),
    ),
)
"""The app registration of an app that runs where there are no managed identities."""


@dataclass(frozen=True, slots=True)
class ResourceConfig:
    """What one SignalR resource is made from.

    Attributes:
        name: Name of the resource.
        resource_id: Its Azure resource id, which ends with the name.
        port: Port that it listens on; 0 takes any free one.
        access_keys: Its own keys, the primary first; none without local authentication.
    """

    name: str
    resource_id: str
    port: int
    access_keys: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class FurtherService:
    """A SignalR service beside the first.

    Attributes:
        port: Port that it listens on; 0 takes any free one.
        name: Name of its resource, which lies beside the first one's; None for the first one's
            name with a number at its end, from 2.
    """

    port: int
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that an emulator is made from.

    Attributes:
        host: Address to listen on.
        host_names: Host names, as `admission.rules.host_name` gives them, that are answered beside
            addresses of this machine, and that a token's audience may name.
        service_port: Port of the SignalR service; 0 takes any free one.
        further_services: More SignalR services, each a resource of its own.
        control_port: Port of the control plane; 0 takes any free one.
        authority_port: Port of Entra's authority, over TLS; 0 takes any free one.
        tls: Whether the SignalR services speak TLS too, with the authority's certificate.
        role: Role of the system-assigned identity and of every app registration at the SignalR
            resource, or None for no assignment.
        service_mode: How every SignalR resource treats its clients.
        authentication_refresh: Whether the authentication of a connection can be refreshed; where
            it cannot, the service knows no connection to refresh.
        allowed_origins: Origins, in lower case, whose web pages may connect (CORS): `loopback` for
            those of this machine, `*` for any.
        identity_header: What the identity endpoint expects in `X-IDENTITY-HEADER`. It protects
            nothing here; App Service makes a random one.
        identities: Managed identities of the app.
        applications: App registrations of the tenant.
        operators: Principal ids of those who may manage roles through Resource Manager.
        tenant_id: GUID of the Entra tenant.
        tenant_domain: Domain name of the Entra tenant.
        management_group: Management group above the subscription.
        subscription: Resource id of the subscription.
        resource_id: Resource id of the SignalR service, which ends with its name.
        service_names: Host names that a token's audience may name, in lower case; `host` and
            `host_names` are among them without being listed.
        local_auth: Whether access keys of connection strings are accepted.
        primary_key: Text whose UTF-8 bytes are the first access key. Further services have the
            same text with their number at its end.
        secondary_key: As `primary_key`, the second access key.
        invocation_timeout: How long a client may take to answer `:invoke`, in seconds.
        timing: Time limits of client connections.
        server_timing: Time limits of server connections.
        upstream: Where events of clients go.
        max_write_buffer: Bytes that may wait for a client that reads slowly.
    """

    host: str = "127.0.0.1"
    host_names: frozenset[str] = frozenset()
    service_port: int = 8888
    further_services: tuple[FurtherService, ...] = ()
    control_port: int = 8889
    authority_port: int = 0
    tls: bool = False
    role: Role | None = SERVICE_OWNER
    service_mode: ServiceMode = ServiceMode.SERVERLESS
    authentication_refresh: bool = True
    allowed_origins: frozenset[str] = frozenset((LOOPBACK_ORIGINS,))
    identity_header: str = "local-emulator"
    identities: tuple[Identity, ...] = (SYSTEM_ASSIGNED, USER_ASSIGNED)
    applications: tuple[Application, ...] = (APP_REGISTRATION,)
    operators: tuple[str, ...] = (SYSTEM_ASSIGNED.principal_id,)
    tenant_id: str = _TENANT_ID
    tenant_domain: str = "local.onmicrosoft.com"
    management_group: str = "/providers/Microsoft.Management/managementGroups/local"
    subscription: str = _SUBSCRIPTION
    resource_id: str = signalr_resource_id(_SUBSCRIPTION, "local", "local")
    service_names: frozenset[str] = frozenset(("127.0.0.1", "localhost", "[::1]"))
    local_auth: bool = True
    primary_key: str = field(default=EMULATOR_KEY, repr=False)
    secondary_key: str = field(default=EMULATOR_KEY[::-1], repr=False)
    invocation_timeout: float = 30.0
    timing: Timing = field(default_factory=Timing)
    server_timing: ServerTiming = field(default_factory=ServerTiming)
    upstream: UpstreamConfig = field(default_factory=UpstreamConfig)
    max_write_buffer: int = 16 * 1024 * 1024

    @property
    def hosts(self) -> frozenset[str]:
        """Every host name that the audience of a token may have, in lower case."""
        listened = f"[{self.host}]" if ":" in self.host else self.host.lower()
        return self.service_names | self.host_names | {listened}

    @property
    def resources(self) -> tuple[ResourceConfig, ...]:
        """Every SignalR resource, the first of them first."""
        group, _, name = self.resource_id.rpartition("/")
        return (
            self._resource(1, self.service_port, self.resource_id),
            *(
                self._resource(number, each.port, f"{group}/{each.name or f'{name}-{number}'}")
                for number, each in enumerate(self.further_services, start=2)
            ),
        )

    def _resource(self, number: int, port: int, resource_id: str) -> ResourceConfig:
        keys = (self.primary_key, self.secondary_key) if self.local_auth else ()
        return ResourceConfig(
            name=resource_id.rpartition("/")[2],
            resource_id=resource_id,
            port=port,
            access_keys=tuple(key if number == 1 else f"{key}{number}" for key in keys),
        )
