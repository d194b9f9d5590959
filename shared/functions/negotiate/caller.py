"""Who the caller of negotiate is, by a proven identity only.

A user id in the query, in the body or in a header of the client's own choice is never read.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from ...keys.client_token import ClaimValue
from ..problems import ProblemError
from .settings import Identity, NegotiateSettings

__all__ = ["INVALID_TOKEN", "NO_CLAIMS", "Caller", "CallerIdentity", "unauthorized"]

NO_CLAIMS: Final[Mapping[str, ClaimValue]] = MappingProxyType({})

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


type _Way = Callable[[Mapping[str, str]], Awaitable[Caller | None] | Caller | None]
"""Tells from a request's headers who asks, or `None` if nobody is named in this way."""


class CallerIdentity:
    """Tells who a caller is.

    Args:
        settings: How callers prove it.
    """

    def __init__(self, settings: NegotiateSettings) -> None:
        self._ways = [_way(identity, settings) for identity in settings.identities]

    async def identify(self, headers: Mapping[str, str]) -> Caller:
        """Return who asks.

        Args:
            headers: Headers of the request, looked up in any case.

        Raises:
            ProblemError: 401, the caller does not prove who it is; 500, the platform has logged it
                in and does not say as whom; 503, the keys of the identity provider cannot be had.
        """
        for way in self._ways:
            found = way(headers)
            caller = found if found is None or isinstance(found, Caller) else await found
            if caller is not None:
                return caller
        raise unauthorized("Log in first.")


def _way(identity: Identity, settings: NegotiateSettings) -> _Way:
    """Return a way to prove an identity, of which an app imports those that it has."""
    match identity:
        case Identity.ANONYMOUS:
            return lambda _: Caller()
        case Identity.APP_SERVICE:
            from .app_service import logged_in  # noqa: PLC0415  see above

            return logged_in
        case Identity.OIDC:
            from .oidc import shown_token  # noqa: PLC0415  see above

            return shown_token(settings)


def unauthorized(detail: str, challenge: str = _CHALLENGE) -> ProblemError:
    """Return the 401 for a caller who does not prove who it is.

    Args:
        detail: What it is told.
        challenge: What is asked of it.
    """
    return ProblemError(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": challenge})
