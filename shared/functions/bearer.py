"""Bearer tokens that others show to this app: who issued them, for whom, and that they are valid.

Sources: OpenID Connect Discovery 1.0, section 4; RFC 7517 for the keys; RFC 8725 for what to check.
"""

import json
import threading
from collections.abc import Mapping
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.request import Request, urlopen

from ..errors import ServiceUnavailableError, SignalRError

if TYPE_CHECKING:
    import jwt

__all__ = ["BearerVerifier", "InvalidTokenError", "Issuer"]

_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384")
"""Public-key algorithms only: with them in one list with HS256, an issuer's public key could pass
for a shared secret."""

_LEEWAY: Final = 60.0
"""Seconds by which the clocks of issuer and app may differ."""

_TIMEOUT: Final = 5.0
"""Seconds that the issuer has for an answer."""


class InvalidTokenError(SignalRError):
    """A bearer token proves nothing; the message says why, for the app's log."""


class Issuer(NamedTuple):
    """Whose tokens are accepted.

    Args:
        issuer: The `iss` claim, an https address below which the issuer describes itself.
        audiences: Values of the `aud` claim, one of which a token must have.
        jwks_uri: Address of its keys; by default the one in its description.
    """

    issuer: str
    audiences: tuple[str, ...]
    jwks_uri: str | None = None


class BearerVerifier:
    """Checks the bearer tokens of one issuer. Threads may share it.

    Keys are fetched at the first need, kept for five minutes, and fetched again when a token names
    one that is not known, at most every 30 seconds.

    Args:
        issuer: Whose tokens are accepted.
    """

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._lock = threading.Lock()
        self._keys: jwt.PyJWKClient | None = None

    def verify(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a token, blocking while keys are fetched.

        Args:
            token: The token in its compact form.

        Raises:
            InvalidTokenError: It proves nothing.
            ServiceUnavailableError: The issuer's keys cannot be had.
        """
        # Not above, so that callers who show no token do not wait for it in a cold start.
        import jwt  # noqa: PLC0415

        try:
            key = self._key_source().get_signing_key_from_jwt(token)
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                audience=self._issuer.audiences,
                issuer=self._issuer.issuer,
                leeway=_LEEWAY,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.PyJWKClientConnectionError as error:
            raise ServiceUnavailableError(f"No keys of {self._issuer.issuer}: {error}") from error
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            # ValueError: text that is not ASCII; RecursionError: JSON that is nested too deep.
            raise InvalidTokenError(f"{type(error).__name__}: {error}") from error
        return claims

    def _key_source(self) -> "jwt.PyJWKClient":
        from jwt import PyJWKClient  # noqa: PLC0415  as above

        with self._lock:
            if self._keys is None:
                address = self._issuer.jwks_uri or _described_jwks_uri(self._issuer.issuer)
                self._keys = PyJWKClient(address, timeout=_TIMEOUT)
            return self._keys


def _described_jwks_uri(issuer: str) -> str:
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        with urlopen(Request(address), timeout=_TIMEOUT) as answer:  # noqa: S310  https by settings
            return str(json.load(answer)["jwks_uri"])
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        raise ServiceUnavailableError(f"No description of {issuer}: {error}") from error
