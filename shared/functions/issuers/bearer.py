"""Bearer tokens that others show to this app: who issued them, for whom, and that they are valid.

Source: RFC 8725 for what to check.
"""

import json
import threading
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ...errors import SignalRError

if TYPE_CHECKING:
    from jwt import PyJWK

    from .keys import IssuerKeys

__all__ = ["BearerVerifier", "InvalidTokenError", "Issuer", "bearer_token"]

_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384")
"""Public-key algorithms only: with them in one list with HS256, an issuer's public key could pass
for a shared secret."""

_LEEWAY: Final = 60.0
"""Seconds by which the clocks of issuer and app may differ."""


_MOST_REMEMBERED: Final = 1024
"""Tokens that are remembered."""


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


class _Verified(NamedTuple):
    """A token that was found valid.

    Args:
        claims: Its claims as JSON, since whoever gets them may change them.
        issuer: Its issuer's keys.
        key_id: Name of the key that has signed it.
        key: That key, which ends for its tokens when the issuer has another one by this name.
        verified_at: When it was found valid, in epoch seconds.
        ends_at: From when on it is not valid any more.
    """

    claims: str
    issuer: "IssuerKeys"
    key_id: str
    key: "PyJWK"
    verified_at: float
    ends_at: float


class BearerVerifier:
    """Checks the bearer tokens of some issuers. Threads and event loops may share it.

    A token that was found valid is remembered, by its digest, until its end: the service shows one
    token for a day, and PyJWT looks at every character of it each time.

    Args:
        issuers: Whose tokens are accepted.
        steady: Tells the time in seconds, by a clock that is never set.
        wall: Tells the time in epoch seconds.
    """

    def __init__(
        self,
        issuers: Iterable[Issuer],
        steady: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        # Not above, so that a cold start does not wait for it where no token is verified.
        from .keys import IssuerKeys  # noqa: PLC0415

        self._issuers = {
            each.issuer: (each, IssuerKeys(each.issuer, each.jwks_uri, steady)) for each in issuers
        }
        self._wall = wall
        self._verified: dict[bytes, _Verified] = {}
        self._remembering = threading.Lock()

    async def verify(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a token, after waiting for its issuer's keys if they are needed.

        Args:
            token: The token in its compact form.

        Raises:
            InvalidTokenError: It proves nothing.
            ProblemError: 503, the issuer's keys cannot be had.
        """
        digest = sha256(token.encode("utf-8", "surrogatepass")).digest()
        verified = await self._remembered(digest)
        if verified is None:
            verified = await self._verify(token)
            self._remember(digest, verified)
        claims: Mapping[str, Any] = json.loads(verified.claims)
        return claims

    async def _remembered(self, digest: bytes) -> _Verified | None:
        known = self._verified.get(digest)
        if known is None or not known.verified_at <= self._wall() < known.ends_at:
            return None
        return known if await known.issuer.find(known.key_id) is known.key else None

    def _remember(self, digest: bytes, verified: _Verified) -> None:
        with self._remembering:
            if len(self._verified) >= _MOST_REMEMBERED:
                del self._verified[next(iter(self._verified))]
            self._verified[digest] = verified

    async def _verify(self, token: str) -> _Verified:
        # Not above, so that callers who show no token do not wait for it in a cold start.
        import jwt  # noqa: PLC0415

        said: Mapping[str, Any] = {}
        try:
            # Only to find the key: PyJWT reads all of it once more.
            header, said = _unverified(token)
            if str(said.get("iss")) not in self._issuers:
                raise jwt.InvalidIssuerError("the issuer is not accepted here")
            issuer, keys = self._issuers[said["iss"]]
            key_id = header.get("kid", "")
            key = await keys.find(key_id) if isinstance(key_id, str) else None
            if key is None:
                raise jwt.InvalidKeyError(f"the issuer has no key {key_id!r:.60}")
            now = self._wall()
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
        ends_at = int(claims["exp"]) + _LEEWAY
        return _Verified(json.dumps(claims), keys, key_id, key, now, ends_at)


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


def _unverified(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the header and the claims of a token, whatever they are worth.

    Raises:
        ValueError: It is no token.
    """
    header, claims, _signature = token.split(".")
    read = [json.loads(urlsafe_b64decode(f"{part}===")) for part in (header, claims)]
    if not all(isinstance(each, dict) for each in read):
        raise ValueError("it is no JSON Web Token")
    return read[0], read[1]
