"""A client of Azure SignalR Service without access keys.

`SignalRServiceClient` blocks, the one of the module `aio` is awaitable; `Settings` reads what they
need from the environment of a Function App. `functions` has the HTTP functions of such an app.
"""

from typing import TYPE_CHECKING

from .endpoints.endpoint import ClientAccess, EndpointState
from .errors import (
    AuthenticationError,
    ConnectionNotFoundError,
    ConnectionUserMismatchError,
    EndpointsError,
    InvalidArgumentError,
    PermissionDeniedError,
    ServiceError,
    ServiceUnavailableError,
    SettingsError,
    SignalRError,
    TokenTooLargeError,
    UnexpectedResponseError,
    UnknownHubError,
)
from .lazy import lazy_exports
from .rest.retry import RetryPolicy
from .settings.credential import (
    AzureCloud,
    CredentialKind,
    CredentialSettings,
    UserAssignedIdentity,
)
from .settings.endpoint import Endpoint, EndpointType
from .settings.environment import Settings
from .settings.hubs import Hubs
from .settings.token_origin import TokenOrigin
from .settings.transport_type import TransportType
from .transport.http import Timeouts

if TYPE_CHECKING:
    from .client import SignalRServiceClient
    from .endpoints.router import Candidate, RendezvousRouter, Router
    from .keys.connection_options import ConnectionOptions, Transports
    from .rest.authentication import ConnectionClaim
    from .rest.members import GroupConnection
    from .rest.messages import Command
else:
    __getattr__ = lazy_exports(
        __name__,
        {
            "SignalRServiceClient": "client",
            "Candidate": "endpoints.router",
            "RendezvousRouter": "endpoints.router",
            "Router": "endpoints.router",
            "ConnectionOptions": "keys.connection_options",
            "Transports": "keys.connection_options",
            "ConnectionClaim": "rest.authentication",
            "GroupConnection": "rest.members",
            "Command": "rest.messages",
        },
    )

__version__ = "0.1.0"

__all__ = [
    "AuthenticationError",
    "AzureCloud",
    "Candidate",
    "ClientAccess",
    "Command",
    "ConnectionClaim",
    "ConnectionNotFoundError",
    "ConnectionOptions",
    "ConnectionUserMismatchError",
    "CredentialKind",
    "CredentialSettings",
    "Endpoint",
    "EndpointState",
    "EndpointType",
    "EndpointsError",
    "GroupConnection",
    "Hubs",
    "InvalidArgumentError",
    "PermissionDeniedError",
    "RendezvousRouter",
    "RetryPolicy",
    "Router",
    "ServiceError",
    "ServiceUnavailableError",
    "Settings",
    "SettingsError",
    "SignalRError",
    "SignalRServiceClient",
    "Timeouts",
    "TokenOrigin",
    "TokenTooLargeError",
    "TransportType",
    "Transports",
    "UnexpectedResponseError",
    "UnknownHubError",
    "UserAssignedIdentity",
]
