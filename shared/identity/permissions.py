"""Why an identity is refused, said so that an operator can mend it."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ..settings.endpoint import Endpoint

__all__ = ["MissingPermission", "missing_permission", "refused_token", "token_claims"]

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
    "serverConnection/write": (
        "SignalR App Server",
        "which may open server connections but not send by the REST API",
    ),
}
_REST_API_OWNER: Final = (
    "SignalR REST API Owner",
    "which may send by the REST API but not have access keys",
)


class MissingPermission(NamedTuple):
    """A data action that a principal may not do, and what mends it; as text it tells all of it.

    Args:
        data_action: Full name of the data action.
        scope: Resource id of the SignalR resource, as far as it is known.
        principal: Object id of the principal.
        principal_type: What kind of principal it is, for a role assignment.
        audience: Audience of its token.
        role: The built-in role that allows everything that an app of this kind does.
        narrower: A built-in role that allows less, and this.
        meaning: What the narrower role allows, as the end of a sentence that begins with its name.
    """

    data_action: str
    scope: str
    principal: str
    principal_type: str
    audience: str
    role: str
    narrower: str
    meaning: str

    @property
    def command(self) -> str:
        """The command that assigns the role."""
        return (
            f"az role assignment create --assignee-object-id {self.principal}"
            f" --assignee-principal-type {self.principal_type}"
            f' --role "{self.role}" --scope {self.scope}'
        )

    def __str__(self) -> str:
        return (
            f"the principal {self.principal} (audience {self.audience}) has no role with the data"
            f" action {self.data_action} at the scope {self.scope}. '{self.role}' has it, or"
            f" '{self.narrower}', {self.meaning}. Assign it: {self.command}."
            " A new role assignment can take up to 30 minutes to be effective"
        )


def missing_permission(data_action: str, endpoint: Endpoint, entra_token: str) -> MissingPermission:
    """Return which role the principal needs, at which scope, and the command that assigns it.

    Roles and what they allow are those of the Azure built-in roles reference.

    Args:
        data_action: What is not allowed, after `Microsoft.SignalRService/SignalR/`.
        endpoint: The service that refuses.
        entra_token: The token that was refused, of which only who and what for is read.
    """
    claims = token_claims(entra_token)
    narrower, meaning = _NARROWER.get(data_action, _REST_API_OWNER)
    return MissingPermission(
        data_action=_ACTIONS + data_action,
        scope=(
            "/subscriptions/<subscription>/resourceGroups/<resource group>"
            f"/providers/Microsoft.SignalRService/SignalR/{endpoint.resource_name}"
        ),
        principal=claims.get("oid", "<object id>"),
        # Only the token of a person who has logged in has scopes (access token claims reference).
        principal_type="User" if "scp" in claims else "ServicePrincipal",
        audience=claims.get("aud", "<unknown>"),
        role=_SERVICE_OWNER,
        narrower=narrower,
        meaning=meaning,
    )


def refused_token(endpoint: Endpoint, entra_token: str) -> str:
    """Say why the service may not accept an Entra token.

    Args:
        endpoint: The service that refuses.
        entra_token: The token that was refused, of which only who and what for is read.
    """
    claims = token_claims(entra_token)
    if claims and "oid" not in claims:
        # Signed with the access key of a connection string: Entra's tokens name a principal.
        return "the service does not accept the access key of the connection string"
    return (
        f"the service does not accept the Entra token of the principal {claims.get('oid', '?')},"
        f" tenant {claims.get('tid', '?')}, audience {claims.get('aud', '?')}. Its tenant must be"
        f" the one of the SignalR resource {endpoint.resource_name}, its audience"
        f" {endpoint.audience}, and this machine's clock must be right"
    )


def token_claims(entra_token: str) -> Mapping[str, Any]:
    """Read the claims of our own token, unverified: they are only shown.

    Args:
        entra_token: The token. What is none has no claims.
    """
    try:
        payload = entra_token.split(".")[1]
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
