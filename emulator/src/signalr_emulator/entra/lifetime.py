"""The times of a JSON Web Token (RFC 7519, section 4.1), checked on a given clock."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Self

import jwt
from jwt.types import Options

from ..errors import AuthenticationError, TokenRequestError

__all__ = [
    "NOT_A_TOKEN",
    "SIGNATURE_ONLY",
    "Lifetime",
    "check_assertion_lifetime",
    "check_lifetime",
]

SIGNATURE_ONLY: Final[Options] = {
    "verify_signature": True,
    "verify_aud": False,
    "verify_exp": False,
    "verify_iat": False,
    "verify_iss": False,
    "verify_jti": False,
    "verify_nbf": False,
    "verify_sub": False,
}
"""Options that leave PyJWT only the signature: it would compare times with the real time."""

NOT_A_TOKEN: Final = (jwt.PyJWTError, UnicodeEncodeError, RecursionError)
"""What PyJWT raises for text that is no token: also for text that is not ASCII, and for JSON that
is nested too deep."""


class Lifetime(NamedTuple):
    """The times of a token, in seconds since the epoch.

    Attributes:
        ends: From when on it is expired (`exp`).
        begins: From when on it is valid (`nbf`), or None.
    """

    ends: float
    begins: float | None

    @classmethod
    def of(cls, claims: Mapping[str, Any]) -> Self:
        """Read the times that the claims of a token name.

        Raises:
            AuthenticationError: There is no `exp`, or one of them is no number.
        """
        is_limited = claims.get("nbf") is not None
        return cls(_time(claims, "exp"), _time(claims, "nbf") if is_limited else None)

    def check(self, now: float, start_limit: float) -> None:
        """Refuse a token that is not valid now, without any tolerance.

        Args:
            now: Seconds since the epoch.
            start_limit: Until when it may begin, in seconds since the epoch.

        Raises:
            AuthenticationError: The token is expired, or not valid yet.
        """
        if now >= self.ends:
            raise AuthenticationError("The token is expired.")
        if self.begins is not None and start_limit < self.begins:
            raise AuthenticationError("The token is not valid yet.")


def check_lifetime(claims: Mapping[str, Any], now: float, start_limit: float | None = None) -> None:
    """Check `exp`, which is required, and `nbf`, without any tolerance.

    Args:
        claims: Claims of the token.
        now: Seconds since the epoch.
        start_limit: Until when it may begin, in seconds since the epoch; `now` if None.

    Raises:
        AuthenticationError: The token is expired, not valid yet, or has no usable times.
    """
    Lifetime.of(claims).check(now, now if start_limit is None else start_limit)


def check_assertion_lifetime(
    claims: Mapping[str, Any], now: float, start_limit: float | None = None
) -> None:
    """Check the times of a client assertion; arguments as of `check_lifetime`.

    Raises:
        TokenRequestError: As `check_lifetime`.
    """
    try:
        check_lifetime(claims, now, start_limit)
    except AuthenticationError as error:
        raise TokenRequestError(401, "invalid_client", 700024, str(error)) from error


def _time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise AuthenticationError(f"The token needs a numeric {name} claim.")
    return value
