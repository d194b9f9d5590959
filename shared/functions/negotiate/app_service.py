"""Callers that App Service authentication or Azure Static Web Apps has logged in.

Header names and the form of the principal are those of "Work with user identities in Azure App
Service authentication"; its other form is that of "Accessing user information in Azure Static Web
Apps". The platform removes what a client sends under these names, which is why they count only
where the platform says that authentication is on.
"""

import json
import logging
import math
from base64 import b64decode
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, NamedTuple

from ...keys.client_token import ClaimValue
from ..issuers.bearer import bearer_token
from ..problems import ProblemError
from .caller import NO_CLAIMS, Caller

__all__ = ["Principal", "logged_in", "read_principal"]

_logger = logging.getLogger(__name__)

_USER_ID: Final = "x-ms-client-principal-id"
_PRINCIPAL: Final = "x-ms-client-principal"


class Principal(NamedTuple):
    """Who has logged in.

    Args:
        user_id: The user, where the principal itself says so, as that of Static Web Apps does.
        claims: What is known of the user: text, or a list where a claim comes more than once. The
            `userRoles` of Static Web Apps are always a list.
    """

    user_id: str | None
    claims: Mapping[str, ClaimValue]


def logged_in(headers: Mapping[str, str]) -> Caller | None:
    """Return whom the platform has logged in, or `None` if it has logged in nobody.

    Args:
        headers: Headers of the request, looked up in any case.

    Raises:
        ProblemError: 500, it does not say whom.
    """
    user_id = headers.get(_USER_ID)
    # Each negotiation asks, and to `get` one of azure.functions' headers that is missing is slow.
    principal = _principal(headers[_PRINCIPAL]) if _PRINCIPAL in headers else None
    if principal is None:
        return Caller(user_id) if user_id else None
    user_id = user_id or principal.user_id
    if not user_id:
        raise _unnamed()
    claims = principal.claims
    return Caller(user_id, claims, _token_end(claims) if bearer_token(headers) else None)


def _principal(header: str) -> Principal | None:
    if not header:
        return None
    try:
        return read_principal(header)
    except (ValueError, TypeError, RecursionError) as error:
        # The platform vouches for the user id in its other header as well, and without claims a
        # user gets nothing more. Another login would only bring the same header again.
        _logger.warning("The header x-ms-client-principal cannot be read: %s", error)
        return Principal(None, NO_CLAIMS)


def _token_end(claims: Mapping[str, ClaimValue]) -> float | None:
    """Return when the bearer token ends that the platform has made the principal from.

    With a cookie the same claim is the end of the ID token at the time of the login. The session
    lasts for hours after it, and the platform does not say how long (App Service documentation,
    "Extend the session token expiration grace period").
    """
    end = claims.get("exp")
    try:
        seconds = float(end) if isinstance(end, str) else math.nan
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def _unnamed() -> ProblemError:
    _logger.error(
        "The platform has logged a caller in and does not say who it is: there is no header"
        " x-ms-client-principal-id, and x-ms-client-principal has no userId"
    )
    return ProblemError(
        HTTPStatus.INTERNAL_SERVER_ERROR, "You are logged in, and the app is not told as whom."
    )


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
