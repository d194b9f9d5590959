"""What a 403 means: a role that is missing, or rules of the resource that keep a network out."""

import json
from typing import Final

from ..identity.permissions import missing_permission
from ..settings.endpoint import Endpoint
from ..transport.flow import Response

__all__ = ["SERVER_CONNECTION", "explain_refusal", "is_by_network_rules"]

SERVER_CONNECTION: Final = "serverConnection/write"
"""The data action of a server connection, which network rules tell from requests."""


def explain_refusal(answer: Response, data_action: str, endpoint: Endpoint, token: str) -> str:
    """Say who refuses, and what mends it.

    Args:
        answer: The 403.
        data_action: What is not allowed, after `Microsoft.SignalRService/SignalR/`.
        endpoint: The service that was asked.
        token: The Entra token that was shown, of which only who and what for is read.
    """
    by_rules = is_by_network_rules(answer)
    kind = "ServerConnection" if data_action == SERVER_CONNECTION else "RESTAPI"
    rules = (
        "the resource's network rules refuse this machine (public network access, IP rules, private"
        f" endpoint). Allow it: az signalr network-rule update --name {endpoint.resource_name}"
        f" --resource-group <resource group> --public-network true --allow {kind}, or call from the"
        " virtual network of its private endpoint"
    )
    if by_rules:
        return rules
    missing = missing_permission(data_action, endpoint, token)
    return str(missing) if by_rules is False else f"{missing}. If it has such a role, {rules}"


def is_by_network_rules(answer: Response) -> bool | None:
    """Tell whether a 403 comes from the front end before the service, or `None` if nothing tells.

    The service gives its refusals a code or a JSON object; the front end, nginx, has a page for all
    that it keeps out (the SDK for .NET looks for its name: RestClient). The answer to HEAD has no
    body, and then its `Content-Type` has to do.

    Args:
        answer: The 403.
    """
    if "x-ms-error-code" in answer.headers:
        return False
    content_type = answer.headers.get("Content-Type", "").lower()
    if not answer.body:
        is_page = "html" in content_type
        return is_page or (False if "json" in content_type else None)
    try:
        return not isinstance(json.loads(answer.body), dict)
    except (ValueError, RecursionError):
        return True
