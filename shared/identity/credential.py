"""Makes the credential of azure-identity that the settings ask for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import AuthenticationError
from ..settings.credential import CredentialKind, CredentialSettings

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

__all__ = ["open_credential"]


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
