"""Why an identity is refused, said so that an operator can mend it."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Final

from shared.endpoint import Endpoint

__all__ = ["missing_permission", "refused_token"]

_ACTIONS: Final = "Microsoft.SignalRService/SignalR/"

_SERVICE_OWNER: Final = "SignalR Service Owner"
_NARROWER: Final = {
    "auth/accessKey/action": (
        "SignalR App Server",
        "which may have access keys but not send by the REST API",
    ),
    "auth/clientToken/action": (
        "SignalR REST API Owner",
        "which has the service make client tokens but may not have access keys",
    ),
}
_REST_API_OWNER: Final = (
    "SignalR REST API Owner",
    "which may send by the REST API but not have access keys",
)


def missing_permission(data_action: str, endpoint: Endpoint, entra_token: str) -> str:
    """Say which role the principal needs, at which scope, and the command that assigns it.

    Roles and what they allow are those of the Azure built-in roles reference.

    Args:
        data_action: What is not allowed, after `Microsoft.SignalRService/SignalR/`.
        endpoint: The service that refuses.
        entra_token: The token that was refused, of which only who and what for is read.
    """
    claims = _claims(entra_token)
    principal = claims.get("oid", "<object id>")
    narrower, meaning = _NARROWER.get(data_action, _REST_API_OWNER)
    scope = (
        "/subscriptions/<subscription>/resourceGroups/<resource group>"
        f"/providers/Microsoft.SignalRService/SignalR/{endpoint.resource_name}"
    )
    return (
        f"the principal {principal} (audience {claims.get('aud', '<unknown>')}) has no role with"
        f" the data action {_ACTIONS}{data_action} at the scope {scope}. '{_SERVICE_OWNER}' has"
        f" it, or '{narrower}', {meaning}. Assign it: az role assignment create"
        f" --assignee-object-id {principal} --assignee-principal-type ServicePrincipal"
        f' --role "{_SERVICE_OWNER}" --scope {scope}.'
        " A new role assignment can take up to 30 minutes to be effective"
    )


def refused_token(endpoint: Endpoint, entra_token: str) -> str:
    """Say why the service may not accept an Entra token.

    Args:
        endpoint: The service that refuses.
        entra_token: The token that was refused, of which only who and what for is read.
    """
    claims = _claims(entra_token)
    return (
        f"the service does not accept the Entra token of the principal {claims.get('oid', '?')},"
        f" tenant {claims.get('tid', '?')}, audience {claims.get('aud', '?')}. Its tenant must be"
        f" the one of the SignalR resource {endpoint.resource_name}, its audience"
        f" {endpoint.audience}, and this machine's clock must be right"
    )


def _claims(entra_token: str) -> Mapping[str, str]:
    """Read the claims of our own token, unverified: they are only shown."""
    try:
        payload = entra_token.split(".")[1]
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
