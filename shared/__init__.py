"""A client of Azure SignalR Service without access keys.

`SignalRServiceClient` blocks, `shared.aio.SignalRServiceClient` is awaitable; `Settings` reads
what they need from the environment of a Function App.
"""

from shared.client import SignalRServiceClient
from shared.connection_options import ConnectionOptions, Transports
from shared.credential import CredentialKind, CredentialSettings
from shared.endpoint import Endpoint, EndpointType
from shared.errors import (
    AuthenticationError,
    ConnectionNotFoundError,
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
from shared.members import GroupConnection
from shared.messages import Command
from shared.negotiation import TokenOrigin
from shared.retry import RetryPolicy
from shared.router import Candidate, RendezvousRouter, Router
from shared.service_endpoint import ClientAccess, EndpointState
from shared.settings import Settings
from shared.transport import Timeouts

__all__ = [
    "AuthenticationError",
    "Candidate",
    "ClientAccess",
    "Command",
    "ConnectionNotFoundError",
    "ConnectionOptions",
    "CredentialKind",
    "CredentialSettings",
    "Endpoint",
    "EndpointState",
    "EndpointType",
    "EndpointsError",
    "GroupConnection",
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
    "Transports",
    "UnexpectedResponseError",
    "UnknownHubError",
]
