"""The app's own Entra token: which credential of azure-identity, and one token for all callers."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from shared.errors import AuthenticationError
from shared.flow import EntraToken

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

__all__ = ["SCOPE", "CredentialKind", "CredentialSettings", "EntraTokens", "open_credential"]

SCOPE: Final = "https://signalr.azure.com/.default"
"""Scope of tokens for the service, the same for its REST API and its auth API."""

_RENEW_BEFORE: Final = 300
"""Seconds before its end at which a token is renewed: the default of azure-identity."""


class CredentialKind(Enum):
    """Which credential of azure-identity gets the token."""

    DEFAULT = "default"
    """DefaultAzureCredential: environment, workload identity, a developer's login."""

    MANAGED_IDENTITY = "managedidentity"
    """ManagedIdentityCredential: the identity of the Function App."""

    CLIENT_SECRET = "clientsecret"  # noqa: S105  the name of a kind, no secret
    """ClientSecretCredential: an app registration with a secret."""


@dataclass(frozen=True, slots=True)
class CredentialSettings:
    """What the settings say about the app's identity.

    Args:
        kind: Which credential of azure-identity.
        client_id: Client id of a user-assigned identity or of an app registration.
        tenant_id: Tenant of an app registration.
        client_secret: Secret of an app registration.
    """

    kind: CredentialKind = CredentialKind.DEFAULT
    client_id: str | None = None
    tenant_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)


def open_credential(
    settings: CredentialSettings, environment: Mapping[str, str]
) -> "TokenCredential":
    """Make the credential that the settings ask for.

    azure-identity is imported here and not above, since its import takes longer than all the rest
    of a cold start.

    Args:
        settings: Which credential, with what.
        environment: The process environment, which tells whether App Service offers an identity.

    Raises:
        AuthenticationError: azure-identity refuses the combination.
    """
    import azure.identity  # noqa: PLC0415  see above

    try:
        match settings.kind:
            case CredentialKind.MANAGED_IDENTITY:
                # App Service's endpoint is on the machine itself, and the key rotation retries:
                # azure-identity's own four tries would only keep the first callers waiting.
                if "IDENTITY_ENDPOINT" in environment:
                    return azure.identity.ManagedIdentityCredential(
                        client_id=settings.client_id, retry_total=0
                    )
                return azure.identity.ManagedIdentityCredential(client_id=settings.client_id)
            case CredentialKind.CLIENT_SECRET:
                return azure.identity.ClientSecretCredential(
                    settings.tenant_id or "", settings.client_id or "", settings.client_secret or ""
                )
            case CredentialKind.DEFAULT:
                return azure.identity.DefaultAzureCredential(
                    managed_identity_client_id=settings.client_id
                )
    except ValueError as error:
        raise AuthenticationError(f"azure-identity: {error}") from error


class EntraTokens:
    """Holds one Entra token for all callers of a process and renews it in time.

    Args:
        open_credential: Makes the credential at the first need.
        clock: Current time in epoch seconds.
    """

    def __init__(
        self,
        open_credential: Callable[[], "TokenCredential"],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._open_credential = open_credential
        self._clock = clock
        self._lock = threading.Lock()
        self._credential: TokenCredential | None = None
        self._token: EntraToken | None = None

    def get(self) -> EntraToken:
        """Return a token that is valid now; however many callers, one of them asks for it.

        Raises:
            AuthenticationError: The credential gave none.
        """
        token = self._token
        if token is not None and self._clock() < token.expires_at - _RENEW_BEFORE:
            return token
        with self._lock:
            token = self._token
            if token is not None and self._clock() < token.expires_at - _RENEW_BEFORE:
                return token
            try:
                self._token = self._ask()
            except AuthenticationError:
                if token is not None and self._clock() < token.expires_at:
                    return token
                raise
            return self._token

    def _ask(self) -> EntraToken:
        if self._credential is None:
            self._credential = self._open_credential()
        from azure.core.exceptions import AzureError  # noqa: PLC0415  loaded with the credential

        credential = self._credential
        try:
            token = credential.get_token(SCOPE)
        except (AzureError, ValueError) as error:
            # MSAL answers from memory for a minute after an error of the identity endpoint. A new
            # credential notices at once that the endpoint is back.
            self._credential = None
            raise AuthenticationError(
                f"No Entra token from {type(credential).__name__}: {error}"
            ) from error
        return EntraToken(token.token, token.expires_on)
