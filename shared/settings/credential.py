"""Which credential of azure-identity this app has, as the settings say it."""

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Self

__all__ = ["CredentialKind", "CredentialSettings"]


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
