"""What a failure means where a managed identity stands for an app registration.

Two requests lead to such a token: one for the managed identity's own, at the identity endpoint, and
one at Entra ID, which exchanges it for the app registration's in the service's tenant.
"""

import json
from typing import Final

from ..settings.credential import CredentialSettings
from .answers import Assertion, one_line
from .failures import TokenFailure

__all__ = ["explain_exchange"]

_NOT_TRUSTED: Final = {"70021", "700211", "700213"}
"""No federated credential has this issuer, or this subject (Entra authentication and authorization
error codes)."""

_UNKNOWN_APP: Final = {"700016", "7000229"}
_NEVER_TRUSTED: Final = {"700222", "700226", "700236"}
_CONNECTION: Final = "AzureSignalRConnectionString"


def explain_exchange(
    failure: TokenFailure, settings: CredentialSettings, assertion: Assertion | None
) -> TokenFailure:
    """Say which of the two requests failed, and what to do.

    Args:
        failure: What came of the last request.
        settings: Which app registration and which identity.
        assertion: The managed identity's token, if it has given one.
    """
    if assertion is None or not failure.is_entra:
        said = f"the managed identity gives no token to exchange: {failure.said}"
        return failure._replace(said=said)
    return failure._replace(
        said=f"the managed identity's token is not exchanged: {failure.said}",
        remedy=_remedy(failure, settings, assertion),
    )


def _remedy(failure: TokenFailure, settings: CredentialSettings, assertion: Assertion) -> str:
    app = f"the app registration {settings.client_id}"
    if failure.code in _NOT_TRUSTED:
        return f"Let {app} trust the identity: {_create(settings, assertion)}"
    if failure.code == "700212":
        return (
            f"Give the federated credential of {app} the audience {assertion.audience} and no"
            f" other: az ad app federated-credential list --id {settings.client_id}"
        )
    if failure.code in _UNKNOWN_APP:
        return (
            f"Make {app} known in the service's tenant: az login --tenant {settings.tenant_id} &&"
            f" az ad sp create --id {settings.client_id}. It must be for several tenants"
            f" (--sign-in-audience AzureADMultipleOrgs), and {_CONNECTION}__clientId its client id,"
            " not the identity's"
        )
    if failure.code in _NEVER_TRUSTED:
        return (
            f"The identity must be user-assigned, and {app} of the identity's own tenant, for"
            " several tenants (--sign-in-audience AzureADMultipleOrgs)"
        )
    if failure.code == "90002":
        return f"Set {_CONNECTION}__tenantId to the tenant of the SignalR resource"
    return failure.remedy


def _create(settings: CredentialSettings, assertion: Assertion) -> str:
    """Return the command that makes the federated credential."""
    parameters = {
        "name": "keyless-signalr",
        "issuer": one_line(assertion.issuer),
        "subject": one_line(assertion.subject),
        "audiences": [assertion.audience],
    }
    return (
        f"az ad app federated-credential create --id {settings.client_id}"
        f" --parameters '{json.dumps(parameters)}'"
    )
