"""Who this app is: which credential of azure-identity, and one Entra token for all callers."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Self

from shared.attributes import log_fields
from shared.endpoint import AUDIENCE
from shared.errors import AuthenticationError
from shared.flow import Token

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

__all__ = ["CredentialKind", "CredentialSettings", "EntraTokens", "open_credential"]

_logger = logging.getLogger(__name__)

_RENEW_BEFORE: Final = 300
"""Seconds before its end at which a token is renewed: the default of azure-identity."""

_RETRY_AFTER: Final = 30
"""Seconds after a renewal, failed or not, for which there is no other: the default of
azure-identity."""


class CredentialKind(Enum):
    """Which credential of azure-identity gets the token."""

    DEFAULT = "default"
    """DefaultAzureCredential: environment, workload identity, a developer's login."""

    MANAGED_IDENTITY = "managedidentity"
    """ManagedIdentityCredential: the identity of the Function App."""

    WORKLOAD_IDENTITY = "workloadidentity"
    """WorkloadIdentityCredential: the identity federated with a Kubernetes service account."""

    CLIENT_SECRET = "clientsecret"  # noqa: S105  the name of a kind, no secret
    """ClientSecretCredential: an app registration with a secret."""

    CLIENT_CERTIFICATE = "clientcertificate"
    """CertificateCredential: an app registration with a certificate in a file."""

    ACCESS_KEY = "accesskey"
    """No Entra ID: the access key of an emulator on this machine."""


@dataclass(frozen=True, slots=True)
class CredentialSettings:
    """What the settings say about the app's identity.

    Args:
        kind: Which credential of azure-identity.
        client_id: Client id of a user-assigned identity or of an app registration.
        tenant_id: Tenant of an app registration.
        client_secret: Secret of an app registration.
        certificate_path: File with the certificate and private key of an app registration, in PEM
            or PKCS #12 form.
        authority_host: Where tokens come from, when it is not the public cloud and the environment
            names no `AZURE_AUTHORITY_HOST`.
        access_key: Access key of an emulator on this machine.
        timeout: Seconds that the identity endpoint has for an answer. azure-identity alone would
            wait for five minutes, and the rotation of the access key with it.
        because: Why it is this credential, as the end of a sentence that names it.
    """

    kind: CredentialKind = CredentialKind.DEFAULT
    client_id: str | None = None
    tenant_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    certificate_path: str | None = None
    authority_host: str | None = None
    access_key: str | None = field(default=None, repr=False)
    timeout: float = 10.0
    because: str = field(default="", compare=False)

    def at_authority(self, authority_host: str | None) -> Self:
        """Return the same with where tokens come from, unless that is known already."""
        return replace(self, authority_host=self.authority_host or authority_host)


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
    import azure.identity as entra  # noqa: PLC0415  see above

    options: dict[str, Any] = {
        "connection_timeout": settings.timeout,
        "read_timeout": settings.timeout,
    }
    if settings.authority_host and "AZURE_AUTHORITY_HOST" not in environment:
        options["authority"] = settings.authority_host
    app = (settings.tenant_id or "", settings.client_id or "")
    try:
        match settings.kind:
            case CredentialKind.MANAGED_IDENTITY:
                # App Service's endpoint is on the machine itself, and the key rotation retries:
                # azure-identity's own four tries would only keep the first callers waiting.
                if "IDENTITY_ENDPOINT" in environment:
                    options["retry_total"] = 0
                return entra.ManagedIdentityCredential(client_id=settings.client_id, **options)
            case CredentialKind.WORKLOAD_IDENTITY:
                named = {"client_id": settings.client_id, "tenant_id": settings.tenant_id}
                given = {name: value for name, value in named.items() if value}
                return entra.WorkloadIdentityCredential(**given, **options)
            case CredentialKind.CLIENT_SECRET:
                secret = settings.client_secret or ""
                return entra.ClientSecretCredential(*app, secret, **options)
            case CredentialKind.CLIENT_CERTIFICATE:
                return entra.CertificateCredential(*app, settings.certificate_path, **options)
            case CredentialKind.DEFAULT:
                return entra.DefaultAzureCredential(
                    managed_identity_client_id=settings.client_id, **options
                )
    except (OSError, ValueError) as error:
        raise AuthenticationError(f"azure-identity: {error}") from error
    raise AuthenticationError("An access key gets no Entra token")


class EntraTokens:
    """Holds one Entra token for all callers of a process and renews it in time.

    Args:
        open_credential: Makes the credential at the first need.
        audience: What the token is for.
        clock: Current time in epoch seconds.
    """

    def __init__(
        self,
        open_credential: Callable[[], "TokenCredential"],
        *,
        audience: str = AUDIENCE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._open_credential = open_credential
        self._scope = f"{audience}/.default"
        self._clock = clock
        self._lock = threading.Lock()
        self._credential: TokenCredential | None = None
        self._token: Token | None = None
        self._next_try = 0.0

    def at_hand(self, url: str = "", rejected: Token | None = None) -> Token | None:  # noqa: ARG002  the protocol's own
        """Return the token at hand while it need not be renewed; arguments as of `get`."""
        token = self._token
        if token is None or token is rejected:
            return None
        return token if self._clock() < token.expires_at - _RENEW_BEFORE else None

    def get(self, url: str = "", rejected: Token | None = None) -> Token:
        """Return a token that is valid now; however many callers, one of them asks for it.

        Args:
            url: What it is for; an Entra token is for all of the service.
            rejected: A token that the service does not accept, so that another one is wanted.

        Raises:
            AuthenticationError: The credential gave none.
        """
        at_hand = self.at_hand(url, rejected)
        if at_hand is not None:
            return at_hand
        token = self._token
        if token is not None and token is not rejected and self._clock() < token.expires_at:
            return self._renewed(token)
        with self._lock:
            token = self._token
            if token is None or token is rejected or self._clock() >= token.expires_at:
                if token is rejected:
                    # azure-identity would answer from memory.
                    self._credential = None
                token = self._token = self._ask()
            return token

    def after_fork(self) -> None:
        """Make it usable in a child process, where a lock may be held by a thread that is gone."""
        self._lock = threading.Lock()
        self._credential = None

    def _renewed(self, token: Token) -> Token:
        """Renew a token that is still good, unless another thread does or it was tried just now."""
        if self._clock() < self._next_try or not self._lock.acquire(blocking=False):
            return token
        # Also when it succeeds: an identity endpoint may give the token that it gave before.
        self._next_try = self._clock() + _RETRY_AFTER
        try:
            self._token = self._ask()
        except AuthenticationError as error:
            _logger.warning(
                "The Entra token at hand is used until it ends: %s", error, extra=log_fields(error)
            )
            return token
        else:
            return self._token
        finally:
            self._lock.release()

    def _ask(self) -> Token:
        if self._credential is None:
            self._credential = self._open_credential()
        from azure.core.exceptions import AzureError  # noqa: PLC0415  loaded with the credential

        credential = self._credential
        try:
            token = credential.get_token(self._scope)
        except (AzureError, OSError, ValueError) as error:
            # MSAL answers from memory for a minute after an error of the identity endpoint. A new
            # credential notices at once that the endpoint is back.
            self._credential = None
            raise AuthenticationError(
                f"No Entra token from {type(credential).__name__}: {error}"
            ) from error
        return Token(token.token, token.expires_on)
