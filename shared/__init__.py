"""A client of Azure SignalR Service without access keys.

`SignalRServiceClient` blocks, `shared.aio.SignalRServiceClient` is awaitable; `Settings` reads
what they need from the environment of a Function App.
"""

from shared.client import SignalRServiceClient
from shared.credential import CredentialKind, CredentialSettings
from shared.endpoint import Endpoint
from shared.errors import (
    AuthenticationError,
    ConnectionNotFoundError,
    InvalidArgumentError,
    PermissionDeniedError,
    ServiceUnavailableError,
    SettingsError,
    SignalRError,
    TokenTooLargeError,
    UnexpectedResponseError,
    UnknownHubError,
)
from shared.rest import Command, GroupConnection
from shared.settings import Settings

__all__ = [
    "AuthenticationError",
    "Command",
    "ConnectionNotFoundError",
    "CredentialKind",
    "CredentialSettings",
    "Endpoint",
    "GroupConnection",
    "InvalidArgumentError",
    "PermissionDeniedError",
    "ServiceUnavailableError",
    "Settings",
    "SettingsError",
    "SignalRError",
    "SignalRServiceClient",
    "TokenTooLargeError",
    "UnexpectedResponseError",
    "UnknownHubError",
]
