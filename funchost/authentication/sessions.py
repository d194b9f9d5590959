"""Sessions of people who have signed in, each held by its own signed cookie.

The key lives in this process alone, so a restart ends every session. Nothing is stored for a
session but that it was ended: a cookie that was copied before does not come back to life.
"""

import secrets
import time
from dataclasses import asdict, replace
from typing import Any, Final
from uuid import uuid4

import jwt

from .principal import Principal

__all__ = ["SESSION_SECONDS", "Sessions"]

SESSION_SECONDS: Final = 8 * 3600
"""How long a session lasts: what App Service has unless `login.cookieExpiration` says otherwise."""

_ALGORITHM: Final = "HS256"
# A browser drops a longer cookie without a word (RFC 6265, 6.1, counts name and attributes too).
_LONGEST_COOKIE: Final = 3800


class Sessions:
    """Makes, reads and ends sessions."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._ended: dict[str, int] = {}

    def begin(self, principal: Principal) -> str:
        """Return the value of the cookie for a new session.

        Raises:
            ValueError: It would be longer than browsers keep.
        """
        end = principal.signed_in_at + SESSION_SECONDS
        claims = {"jti": str(uuid4()), "exp": end, "principal": asdict(principal)}
        cookie = jwt.encode(claims, self._key, _ALGORITHM)
        if len(cookie) > _LONGEST_COOKIE:
            raise ValueError("Claims: write fewer; they do not fit in a cookie.")
        return cookie

    def read(self, cookie: str) -> Principal | None:
        """Return who has the session; `None` when it is forged, expired or ended."""
        claims = self._verified(cookie)
        if claims is None or claims["jti"] in self._ended:
            return None
        principal = Principal(**claims["principal"])
        return replace(principal, claims=tuple((kind, value) for kind, value in principal.claims))

    def end(self, cookie: str) -> None:
        """End a session, wherever copies of its cookie are."""
        claims = self._verified(cookie)
        if claims is None:
            return
        # An expired cookie is refused for its age.
        now = time.time()
        self._ended = {each: end for each, end in self._ended.items() if end > now}
        self._ended[claims["jti"]] = claims["exp"]

    def _verified(self, cookie: str) -> dict[str, Any] | None:
        try:
            return jwt.decode(cookie, self._key, [_ALGORITHM])
        except (jwt.InvalidTokenError, UnicodeEncodeError):
            # A header's bytes that are no UTF-8 are half characters in Python.
            return None
