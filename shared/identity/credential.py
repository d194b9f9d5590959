"""Makes the credential of azure-identity that the settings ask for, and says why it fails."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from ..errors import AuthenticationError
from ..settings.credential import CredentialKind, CredentialSettings

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from .failures import TokenFailure
    from .hooks import RequestHooks

__all__ = ["open_credential", "token_failure"]


_hooks: Final["WeakKeyDictionary[object, RequestHooks]"] = WeakKeyDictionary()
"""What stands at the requests of each credential, which azure-identity does not give back."""


def open_credential(
    settings: CredentialSettings, environment: Mapping[str, str]
) -> "TokenCredential":
    """Make the credential that the settings ask for.

    Args:
        settings: Which credential, with what.
        environment: The process environment, which tells whether App Service offers an identity.

    Raises:
        AuthenticationError: azure-identity refuses the combination.
    """
    from .hooks import RequestHooks  # noqa: PLC0415  of use only together with azure-identity

    hooks = RequestHooks(settings, environment)
    options: dict[str, Any] = {
        "connection_timeout": settings.timeout,
        "read_timeout": settings.timeout,
        **hooks.options,
    }
    if settings.authority_host and "AZURE_AUTHORITY_HOST" not in environment:
        options["authority"] = settings.authority_host
    try:
        credential = _make(settings, environment, options)
    except (OSError, ValueError) as error:
        raise AuthenticationError(f"azure-identity: {' '.join(str(error).split())}") from error
    _hooks[credential] = hooks
    return credential


def token_failure(credential: object, error: BaseException) -> "TokenFailure":
    """Say why a credential has given no token.

    Args:
        credential: What was asked; what is known of it is more if it comes from here.
        error: What it has raised.
    """
    from .failures import explain_failure  # noqa: PLC0415  no start needs it that goes well

    said = "\n".join(str(each) for each in _causes(error))
    try:
        hooks = _hooks.get(credential)
    except TypeError:  # the caller's own, which cannot be a weak key
        hooks = None
    if hooks is None:
        return explain_failure(said, None, None)
    return explain_failure(said, hooks.last, hooks.settings)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that led to it."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _make(
    settings: CredentialSettings, environment: Mapping[str, str], options: dict[str, Any]
) -> "TokenCredential":
    import azure.identity as entra  # noqa: PLC0415  its import takes longer than the rest of a start

    app = (settings.tenant_id or "", settings.client_id or "")
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
    raise AuthenticationError("An access key gets no Entra token")
