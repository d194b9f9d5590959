"""Which credential of azure-identity this app has, as the settings say it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, NamedTuple, Self
from urllib.parse import urlsplit

__all__ = ["AzureCloud", "CredentialKind", "CredentialSettings", "UserAssignedIdentity"]


class CredentialKind(Enum):
    """Which credential of azure-identity gets the token."""

    DEFAULT = "default"
    """DefaultAzureCredential: environment, workload identity, a developer's login."""

    MANAGED_IDENTITY = "managedidentity"
    """ManagedIdentityCredential: the identity of the Function App."""

    MANAGED_IDENTITY_AS_FEDERATED_IDENTITY = "managedidentityasfederatedidentity"
    """ClientAssertionCredential: an app registration that trusts a user-assigned identity of the
    Function App, for a service in another tenant."""

    WORKLOAD_IDENTITY = "workloadidentity"
    """WorkloadIdentityCredential: the identity federated with a Kubernetes service account."""

    CLIENT_SECRET = "clientsecret"  # noqa: S105  the name of a kind, no secret
    """ClientSecretCredential: an app registration with a secret."""

    CLIENT_CERTIFICATE = "clientcertificate"
    """CertificateCredential: an app registration with a certificate in a file."""

    ACCESS_KEY = "accesskey"
    """No Entra ID: the access key of an emulator on this machine."""


class AzureCloud(Enum):
    """A cloud with an Entra ID of its own, in the words of Microsoft.Extensions.Azure."""

    PUBLIC = "public"
    """Azure for everybody."""

    US_GOVERNMENT = "usgov"
    """Azure Government."""

    CHINA = "china"
    """Azure operated by 21Vianet."""

    @classmethod
    def of(cls, authority_host: str | None) -> Self:
        """Return the cloud of an Entra ID, which is the public one for hosts that are not known.

        Args:
            authority_host: Its address or host name; `None` for the public cloud.
        """
        host = urlsplit(authority_host or "").netloc or (authority_host or "").strip("/")
        return next((each for each in cls if host.lower() in _ENTRA_HOSTS[each]), cls.PUBLIC)

    @property
    def authority_host(self) -> str:
        """Where its Entra tokens come from."""
        return f"https://{_ENTRA_HOSTS[self][0]}"

    @property
    def token_exchange(self) -> str:
        """Audience of a managed identity's token that stands for an app registration."""
        return _TOKEN_EXCHANGE[self]


_ENTRA_HOSTS: Final[Mapping[AzureCloud, tuple[str, ...]]] = {
    AzureCloud.PUBLIC: ("login.microsoftonline.com",),
    AzureCloud.US_GOVERNMENT: ("login.microsoftonline.us",),
    AzureCloud.CHINA: ("login.chinacloudapi.cn", "login.partner.microsoftonline.cn"),
}
_TOKEN_EXCHANGE: Final[Mapping[AzureCloud, str]] = {
    AzureCloud.PUBLIC: "api://AzureADTokenExchange",
    AzureCloud.US_GOVERNMENT: "api://AzureADTokenExchangeUSGov",
    AzureCloud.CHINA: "api://AzureADTokenExchangeChina",
}
"""From Entra Workload ID, "Configure an application to trust a managed identity"."""


class UserAssignedIdentity(NamedTuple):
    """A user-assigned managed identity.

    Args:
        by: Which id names it, in azure-identity's words: `client_id`, `object_id`, `resource_id`.
        value: The id.
    """

    by: str
    value: str

    @property
    def said(self) -> str:
        """Which identity it is, as the end of "the identity with the"."""
        return f"{self.by.replace('_', ' ')} {self.value}"


@dataclass(frozen=True, slots=True)
class CredentialSettings:
    """What the settings say about the app's identity.

    Args:
        kind: Which credential of azure-identity.
        client_id: Client id of a user-assigned identity or of an app registration.
        tenant_id: Tenant in which an app registration gets its tokens.
        client_secret: Secret of an app registration.
        certificate_path: File with the certificate and private key of an app registration, in PEM
            or PKCS #12 form.
        managed_identity: The user-assigned identity, where `client_id` does not name it.
        cloud: Where the app runs, when it is not what the authority tells.
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
    managed_identity: UserAssignedIdentity | None = None
    cloud: AzureCloud | None = None
    authority_host: str | None = None
    access_key: str | None = field(default=None, repr=False)
    timeout: float = 10.0
    because: str = field(default="", compare=False)

    def at_authority(self, authority_host: str | None) -> Self:
        """Return the same with where tokens come from, unless that is known already."""
        return replace(self, authority_host=self.authority_host or authority_host)

    @property
    def user_assigned(self) -> UserAssignedIdentity | None:
        """The user-assigned identity whose token is asked for; `None` for the app's own."""
        if self.kind is CredentialKind.MANAGED_IDENTITY and self.client_id:
            return UserAssignedIdentity("client_id", self.client_id)
        return self.managed_identity

    def token_exchange(self, authority_host: str | None) -> str:
        """Return the audience of the managed identity's token that stands for an app registration.

        Args:
            authority_host: Where tokens come from; `None` for the public cloud.
        """
        return (self.cloud or AzureCloud.of(authority_host)).token_exchange
