"""Makes the credential of azure-identity that the settings ask for, and says why it fails."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from ..errors import AuthenticationError
from ..settings.credential import CredentialKind, CredentialSettings
from ..settings.endpoint import is_loopback

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from .answers import Assertion
    from .failures import TokenFailure
    from .hooks import RequestHooks

__all__ = ["open_credential", "presented_assertion", "token_failure"]


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
    if is_loopback(environment.get("AZURE_AUTHORITY_HOST", "")):
        # Who else would be asked whether it may be trusted is Entra, which does not know it.
        options["disable_instance_discovery"] = True
    try:
        credential = _make(settings, environment, options, hooks)
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
    # No start needs it that goes well.
    from .failures import explain_failure, said_by  # noqa: PLC0415

    said = said_by(error)
    try:
        hooks = _hooks.get(credential)
    except TypeError:  # the caller's own, which cannot be a weak key
        hooks = None
    if hooks is None:
        return explain_failure(said, None, None)
    failure = explain_failure(said, hooks.last, hooks.settings)
    if hooks.settings.kind is not CredentialKind.MANAGED_IDENTITY_AS_FEDERATED_IDENTITY:
        return failure
    from .exchange import explain_exchange  # noqa: PLC0415  as above

    return explain_exchange(failure, hooks.settings, hooks.assertion)


def presented_assertion(credential: object) -> "Assertion | None":
    """Say which managed identity has stood for the app registration last, if one has.

    Args:
        credential: What `open_credential` has made.
    """
    hooks = _hooks.get(credential)
    return hooks.assertion if hooks is not None else None


def _make(
    settings: CredentialSettings,
    environment: Mapping[str, str],
    options: dict[str, Any],
    hooks: "RequestHooks",
) -> "TokenCredential":
    import azure.identity as entra  # noqa: PLC0415  its import takes longer than the rest of a start

    app = (settings.tenant_id or "", settings.client_id or "")
    match settings.kind:
        case CredentialKind.MANAGED_IDENTITY:
            return _managed_identity(settings, environment, options)
        case CredentialKind.MANAGED_IDENTITY_AS_FEDERATED_IDENTITY:
            identity = _managed_identity(settings, environment, options)
            authority = environment.get("AZURE_AUTHORITY_HOST") or settings.authority_host
            assertion = _assertion(identity, settings.token_exchange(authority), hooks)
            return entra.ClientAssertionCredential(*app, assertion, **options)
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


def _managed_identity(
    settings: CredentialSettings, environment: Mapping[str, str], options: Mapping[str, Any]
) -> "TokenCredential":
    import azure.identity as entra  # noqa: PLC0415  as above

    named = settings.user_assigned
    given = dict(options)
    if named is not None and named.by != "client_id":
        given["identity_config"] = {named.by: named.value}
    elif named is not None:
        given["client_id"] = named.value
    # App Service's endpoint is on the machine itself, and the key rotation retries:
    # azure-identity's own four tries would only keep the first callers waiting.
    if "IDENTITY_ENDPOINT" in environment:
        given["retry_total"] = 0
    return entra.ManagedIdentityCredential(**given)


def _assertion(
    identity: "TokenCredential", audience: str, hooks: "RequestHooks"
) -> Callable[[], str]:
    """Return what gives the managed identity's token whenever an app registration needs one."""
    from .answers import Assertion  # noqa: PLC0415  as above
    from .permissions import token_claims  # noqa: PLC0415  as above

    def assertion() -> str:
        token = identity.get_token(f"{audience}/.default").token
        claims = token_claims(token)
        hooks.assertion = Assertion(
            str(claims.get("iss", "")), str(claims.get("sub", "")), audience
        )
        return token

    return assertion
