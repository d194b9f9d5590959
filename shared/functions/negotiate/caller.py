"""Who the caller of negotiate is, by a proven identity only.

A user id in the query, in the body or in a header of the client's own choice is never read.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from ...keys.client_token import ClaimValue
from ..bearer import BearerVerifier, InvalidTokenError, bearer_token
from ..problems import ProblemError
from .app_service import Principal, read_principal
from .settings import Identity, NegotiateSettings

__all__ = ["INVALID_TOKEN", "NO_CLAIMS", "Caller", "CallerIdentity", "unauthorized"]

_logger = logging.getLogger(__name__)

NO_CLAIMS: Final[Mapping[str, ClaimValue]] = MappingProxyType({})

_USER_ID: Final = "x-ms-client-principal-id"
_PRINCIPAL: Final = "x-ms-client-principal"

_CHALLENGE: Final = 'Bearer realm="negotiate"'

INVALID_TOKEN: Final = f'{_CHALLENGE}, error="invalid_token"'
"""What is asked of a caller whose token or session is no good (RFC 6750, section 3)."""


@dataclass(slots=True)
class Caller:
    """Who asks.

    Args:
        user_id: The user, or `None` for an anonymous caller.
        claims: What its identity provider says of it, by the provider's names. A claim that comes
            more than once is a list; `has` looks into either.
        session_end: When its own session ends, in epoch seconds; `None` when that is not known, as
            after a login with App Service authentication.
    """

    user_id: str | None = None
    claims: Mapping[str, ClaimValue] = NO_CLAIMS
    session_end: float | None = None

    def has(self, claim: str, value: str) -> bool:
        """Tell whether a claim has a value, be it the only one or one of several.

        Args:
            claim: Name of the claim, for instance `roles`.
            value: The value, which must be the same to the letter.
        """
        held = self.claims.get(claim)
        return value in held if isinstance(held, list) else value == held


class CallerIdentity:
    """Tells who a caller is.

    Args:
        settings: How callers prove it.
    """

    def __init__(self, settings: NegotiateSettings) -> None:
        self._settings = settings
        self._verifier = BearerVerifier([settings.issuer]) if settings.issuer else None

    async def identify(self, headers: Mapping[str, str]) -> Caller:
        """Return who asks.

        Args:
            headers: Headers of the request, looked up in any case.

        Raises:
            ProblemError: 401, the caller does not prove who it is; 500, the platform has logged it
                in and does not say as whom; 503, the keys of the identity provider cannot be had.
        """
        for identity in self._settings.identities:
            match identity:
                case Identity.ANONYMOUS:
                    return Caller()
                case Identity.APP_SERVICE:
                    caller = _logged_in(headers)
                case Identity.OIDC:
                    caller = await self._shown_token(headers)
            if caller is not None:
                return caller
        raise unauthorized("Log in first.")

    async def _shown_token(self, headers: Mapping[str, str]) -> Caller | None:
        token = bearer_token(headers)
        if not token or self._verifier is None:
            return None
        try:
            claims = await self._verifier.verify(token)
            return Caller(
                _user_id(claims.get(self._settings.user_id_claim), self._settings.user_id_claim),
                claims,
                float(claims["exp"]),
            )
        except (InvalidTokenError, OverflowError) as error:
            # Quoted and cut, since it can repeat what an anonymous caller wrote.
            _logger.warning("A bearer token was refused: %.300r", str(error))
            raise unauthorized("The bearer token is not valid.", INVALID_TOKEN) from None


def _logged_in(headers: Mapping[str, str]) -> Caller | None:
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


def _user_id(value: object, claim: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidTokenError(f"it has no {claim} claim to be the user id")
    return value


def unauthorized(detail: str, challenge: str = _CHALLENGE) -> ProblemError:
    """Return the 401 for a caller who does not prove who it is.

    Args:
        detail: What it is told.
        challenge: What is asked of it.
    """
    return ProblemError(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": challenge})
