"""Callers that show a bearer token of an OpenID Connect issuer."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from ..issuers.bearer import BearerVerifier, InvalidTokenError, bearer_token
from .caller import INVALID_TOKEN, Caller, unauthorized
from .settings import NegotiateSettings

__all__ = ["shown_token"]

_logger = logging.getLogger(__name__)


def shown_token(
    settings: NegotiateSettings,
) -> Callable[[Mapping[str, str]], Awaitable[Caller | None]]:
    """Return what tells who asks, or `None` for a request without a token.

    It raises a `ProblemError`: 401, the token is not valid; 503, the keys of the issuer cannot be
    had.

    Args:
        settings: Whose tokens are accepted, and which of their claims is the user id.
    """
    verifier = BearerVerifier([settings.issuer] if settings.issuer else [])
    user_id_claim = settings.user_id_claim

    async def caller(headers: Mapping[str, str]) -> Caller | None:
        token = bearer_token(headers)
        if not token:
            return None
        try:
            claims = await verifier.verify(token)
            return Caller(
                _user_id(claims.get(user_id_claim), user_id_claim), claims, float(claims["exp"])
            )
        except (InvalidTokenError, OverflowError) as error:
            # Quoted and cut, since it can repeat what an anonymous caller wrote.
            _logger.warning("A bearer token was refused: %.300r", str(error))
            raise unauthorized("The bearer token is not valid.", INVALID_TOKEN) from None

    return caller


def _user_id(value: object, claim: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidTokenError(f"it has no {claim} claim to be the user id")
    return value
