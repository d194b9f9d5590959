"""Callers that App Service authentication has logged in.

Header names and the form of the principal are those of the page on user identities in the App
Service documentation. The platform removes what a client sends under these names, which is why
they count only where the platform says that authentication is on.
"""

import json
from base64 import b64decode
from collections.abc import Mapping

from ...keys.client_token import ClaimValue

__all__ = ["principal_claims"]


def principal_claims(header: str) -> dict[str, ClaimValue]:
    """Return the claims of `x-ms-client-principal`; one that comes more than once is a list.

    Args:
        header: Base64 of `{"claims": [{"typ": …, "val": …}, …], …}`.

    Raises:
        ValueError: It is no base64 or no JSON.
        TypeError: It is not such an object.
    """
    principal = json.loads(b64decode(header, validate=True))
    if not isinstance(principal, dict):
        raise TypeError("the principal is no object")
    values: dict[str, list[ClaimValue]] = {}
    for claim in principal.get("claims") or ():
        name, value = _text(claim, "typ"), _text(claim, "val")
        values.setdefault(name, []).append(value)
    return {name: each[0] if len(each) == 1 else each for name, each in values.items()}


def _text(claim: object, name: str) -> str:
    value = claim.get(name) if isinstance(claim, Mapping) else None
    if not isinstance(value, str):
        raise TypeError(f"a claim has no {name}")
    return value
