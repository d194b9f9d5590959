"""Bearer tokens that others show to this app: who issued them, for whom, and that they are valid.

Source: RFC 8725 for what to check.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from ..errors import SignalRError
from .issuer_keys import IssuerKeys

__all__ = ["BearerVerifier", "InvalidTokenError", "Issuer", "bearer_token"]

_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384")
"""Public-key algorithms only: with them in one list with HS256, an issuer's public key could pass
for a shared secret."""

_LEEWAY: Final = 60.0
"""Seconds by which the clocks of issuer and app may differ."""


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
    """Checks the bearer tokens of some issuers. Threads and event loops may share it.

    Args:
        issuers: Whose tokens are accepted.
        steady: Tells the time in seconds, by a clock that is never set.
    """

    def __init__(
        self, issuers: Iterable[Issuer], steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuers = {
            each.issuer: (each, IssuerKeys(each.issuer, each.jwks_uri, steady)) for each in issuers
        }

    async def verify(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a token, after waiting for its issuer's keys if they are needed.

        Args:
            token: The token in its compact form.

        Raises:
            InvalidTokenError: It proves nothing.
            ProblemError: 503, the issuer's keys cannot be had.
        """
        # Not above, so that callers who show no token do not wait for it in a cold start.
        import jwt  # noqa: PLC0415

        said: Mapping[str, Any] = {}
        try:
            unverified = jwt.decode_complete(token, options={"verify_signature": False})
            said, key_id = unverified["payload"], unverified["header"].get("kid", "")
            if str(said.get("iss")) not in self._issuers:
                raise jwt.InvalidIssuerError("the issuer is not accepted here")
            issuer, keys = self._issuers[said["iss"]]
            key = await keys.find(key_id)
            if key is None:
                raise jwt.InvalidKeyError(f"the issuer has no key {key_id!r:.60}")
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                audience=issuer.audiences,
                issuer=issuer.issuer,
                leeway=_LEEWAY,
                options={"require": ["exp", "iss", "aud"]},
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            # ValueError: text that is not ASCII; RecursionError: JSON that is nested too deep.
            reason = f"{type(error).__name__}: {error!s:.90}{_origin(said)}"
            raise InvalidTokenError(reason) from error
        return claims


def bearer_token(headers: Mapping[str, str]) -> str | None:
    """Return the bearer token of a request, or `None` if it shows none (RFC 6750, section 2.1).

    Args:
        headers: Headers of the request, looked up in any case.
    """
    # Asked first, since looking up what is not there costs a hot negotiation four times as much.
    if "authorization" not in headers:
        return None
    scheme, _, token = headers["authorization"].partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _origin(said: Mapping[str, Any]) -> str:
    """Return whose token it says to be, and for whom, as the end of a reason."""
    if not said:
        return ""
    return f"; its iss is {said.get('iss')!r:.100}, its aud {said.get('aud')!r:.80}"
