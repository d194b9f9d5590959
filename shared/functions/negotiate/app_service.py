"""Callers that App Service authentication or Azure Static Web Apps has logged in.

Header names and the form of the principal are those of "Work with user identities in Azure App
Service authentication"; its other form is that of "Accessing user information in Azure Static Web
Apps". The platform removes what a client sends under these names, which is why they count only
where the platform says that authentication is on.
"""

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import NamedTuple

from ...keys.client_token import ClaimValue

__all__ = ["Principal", "read_principal"]


class Principal(NamedTuple):
    """Who has logged in.

    Args:
        user_id: The user, where the principal itself says so, as that of Static Web Apps does.
        claims: What is known of the user: text, or a list where a claim comes more than once. The
            `userRoles` of Static Web Apps are always a list.
    """

    user_id: str | None
    claims: Mapping[str, ClaimValue]


def read_principal(header: str) -> Principal | None:
    """Return whom `x-ms-client-principal` names, or `None` for a visitor of Static Web Apps.

    A claim that cannot be used is left out, since it must not cost the user the others.

    Args:
        header: Base64 of `{"claims": [{"typ": …, "val": …}, …], …}` or of `{"identityProvider": …,
            "userId": …, "userDetails": …, "userRoles": […]}`; in either alphabet, with padding or
            without.

    Raises:
        ValueError: It is no base64 or no JSON.
        TypeError: It is no object.
    """
    encoded = header.replace("-", "+").replace("_", "/")
    principal = json.loads(b64decode(encoded + "=" * (-len(encoded) % 4), validate=True))
    if not isinstance(principal, dict):
        raise TypeError("the principal is no object")
    claims = _claims(principal.get("claims"))
    if principal.keys().isdisjoint(("userId", "userRoles")):
        return Principal(None, claims)
    for name in ("identityProvider", "userDetails"):
        if isinstance(principal.get(name), str):
            claims[name] = principal[name]
    claims["userRoles"] = [
        each for each in _list(principal.get("userRoles")) if isinstance(each, str)
    ]
    user_id = principal.get("userId")
    return Principal(user_id, claims) if isinstance(user_id, str) and user_id.strip() else None


def _claims(listed: object) -> dict[str, ClaimValue]:
    values: dict[str, list[ClaimValue]] = {}
    for claim in _list(listed):
        if not isinstance(claim, dict) or claim.get("val") is None:
            continue
        name, value = claim.get("typ"), claim["val"]
        if isinstance(name, str):
            # What is no text is written as JSON, which is how the platform has nested claims.
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            values.setdefault(name, []).append(text)
    return {name: each[0] if len(each) == 1 else each for name, each in values.items()}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
