"""Who the caller of negotiate is, by a proven identity only.

A user id in the query, in the body or in a header of the client's own choice is never read.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from ...keys.client_token import ClaimValue
from ..bearer import BearerVerifier, InvalidTokenError
from ..problems import ProblemError
from .app_service import principal_claims
from .settings import Identity, NegotiateSettings

__all__ = ["INVALID_TOKEN", "NO_CLAIMS", "Caller", "CallerIdentity", "unauthorized"]

_logger = logging.getLogger(__name__)

NO_CLAIMS: Final[Mapping[str, ClaimValue]] = MappingProxyType({})

_CHALLENGE: Final = 'Bearer realm="negotiate"'

INVALID_TOKEN: Final = f'{_CHALLENGE}, error="invalid_token"'
"""What is asked of a caller whose token or session is no good (RFC 6750, section 3)."""


@dataclass(slots=True)
class Caller:
    """Who asks.

    Args:
        user_id: The user, or `None` for an anonymous caller.
        claims: What its identity provider says of it, by the provider's names.
        session_end: When its own session ends, in epoch seconds; `None` when that is not known.
    """

    user_id: str | None = None
    claims: Mapping[str, ClaimValue] = NO_CLAIMS
    session_end: float | None = None


class CallerIdentity:
    """Tells who a caller is.

    Args:
        settings: How callers prove it.
    """

    def __init__(self, settings: NegotiateSettings) -> None:
        self._settings = settings
        self._verifier = BearerVerifier(settings.issuer) if settings.issuer else None

    async def identify(self, headers: Mapping[str, str]) -> Caller:
        """Return who asks.

        Args:
            headers: Headers of the request, looked up in any case.

        Raises:
            ProblemError: 401, the caller does not prove who it is.
            ServiceUnavailableError: The keys of the identity provider cannot be had.
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
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip() or self._verifier is None:
            return None
        try:
            # Keys are fetched now and then, which blocks.
            claims = await asyncio.to_thread(self._verifier.verify, token.strip())
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
    user_id = headers.get("x-ms-client-principal-id")
    if not user_id:
        return None
    principal = headers.get("x-ms-client-principal")
    if not principal:
        return Caller(user_id)
    try:
        claims = principal_claims(principal)
        end = claims.get("exp")
        return Caller(user_id, claims, None if end is None else float(int(str(end))))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        _logger.warning("The principal of App Service authentication cannot be read: %s", error)
        raise unauthorized("The principal cannot be read. Log in again.") from None


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
