"""Which role is missing where, said so that an operator can mend it."""

import json
from base64 import urlsafe_b64decode

from shared.endpoint import Endpoint

__all__ = ["missing_permission"]

# Built-in roles that hold a data action (Azure built-in roles, web and mobile). The one that the
# design recommends stands first, the narrowest that would do second.
_APP_SERVER = "'SignalR Service Owner' or 'SignalR App Server'"
_REST_API = "'SignalR Service Owner' or 'SignalR REST API Owner'"


def missing_permission(data_action: str, endpoint: Endpoint, entra_token: str) -> str:
    """Say which role the principal needs, and at which scope.

    Args:
        data_action: What is not allowed, after `Microsoft.SignalRService/SignalR/`.
        endpoint: The service that refuses.
        entra_token: The token that was refused, of which only the principal's id is read.
    """
    roles = _APP_SERVER if data_action == "auth/accessKey/action" else _REST_API
    scope = (
        "/subscriptions/<subscription>/resourceGroups/<resource group>"
        f"/providers/Microsoft.SignalRService/SignalR/{endpoint.resource_name}"
    )
    return (
        f"the role {roles} is missing (data action Microsoft.SignalRService/SignalR/{data_action})."
        f" Assign it to the principal {_principal_id(entra_token)} at the scope {scope}."
        " A new role assignment can take up to 30 minutes to be effective"
    )


def _principal_id(entra_token: str) -> str:
    """Read the object id out of our own token, unverified: it is only shown."""
    try:
        payload = entra_token.split(".")[1]
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["oid"])
    except (IndexError, KeyError, TypeError, ValueError):
        return "<unknown>"
