"""Who calls the data plane: the bearer token of a request becomes a caller.

A token says by its algorithm what kind it is; each kind has one entry in the table of
`Authenticator`.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

from ..clock import Clock
from ..entra.lifetime import check_lifetime
from ..entra.tenant import Tenant
from ..errors import AuthenticationError
from .access_keys import AccessKeys
from .audience import is_for_url
from .signed_tokens import ALGORITHMS, audiences_of, signed_claims, unverified_header

__all__ = ["ENTRA_AUDIENCES", "Authenticator", "CalledUrl", "Caller", "bearer_token"]

ENTRA_AUDIENCES = frozenset(("https://signalr.azure.com", "https://signalr.azure.com/"))
"""Acceptable `aud` of an Entra token (scope `https://signalr.azure.com/.default` of the SDKs)."""

_BEARER = "bearer"


class Caller(NamedTuple):
    """Who calls.

    Attributes:
        principal_id: Object id of an Entra service principal; None for whoever signed the token
            with an access key, which permits everything.
    """

    principal_id: str | None


@dataclass(frozen=True, slots=True)
class CalledUrl:
    """What was called; a token that is signed with an access key is for one URL.

    Attributes:
        path: Path as it was sent.
        query: Query string as it was sent.
        origins: What the service is called, as `{scheme}://{host}` or with a port, in lower case.
    """

    path: str
    query: str
    origins: AbstractSet[str]


type Called = Callable[[], CalledUrl]


class Authenticator:
    """Tells who calls.

    Args:
        tenant: Whose Entra tokens are accepted.
        keys: Keys that may have signed other tokens.
        clock: Tells the time.
    """

    def __init__(self, tenant: Tenant, keys: AccessKeys, clock: Clock) -> None:
        self._tenant = tenant
        self._keys = keys
        self._clock = clock
        self._by_algorithm: Mapping[str, Callable[[str, Called], Caller]] = {
            "RS256": lambda token, _called: self.entra(token),
            **dict.fromkeys(ALGORITHMS, self._access_key),
        }

    def caller(self, authorization: str | None, called: Called) -> Caller:
        """Check the `Authorization` header of a request.

        Args:
            authorization: The header, or None if it is not there.
            called: Gives what is called, where the token is for that alone.

        Raises:
            AuthenticationError: There is no bearer token, or it is not valid here.
        """
        token = bearer_token(authorization)
        if token is None or not token.isascii():
            raise AuthenticationError("The request needs a bearer token.")
        check = self._by_algorithm.get(str(unverified_header(token).get("alg")))
        if check is None:
            raise AuthenticationError("Tokens of this algorithm are not accepted.")
        return check(token, called)

    def entra(self, token: str) -> Caller:
        """Check an Entra token that has come without a request of its own.

        Raises:
            AuthenticationError: It is not valid here.
        """
        return Caller(principal_id=self._tenant.validate(token, ENTRA_AUDIENCES))

    def _access_key(self, token: str, called: Called) -> Caller:
        claims, url = signed_claims(token, self._keys), called()
        if not any(
            is_for_url(audience, path=url.path, query=url.query, origins=url.origins)
            for audience in audiences_of(claims)
        ):
            raise AuthenticationError("The audience of the token is not the URL of this request.")
        check_lifetime(claims, self._clock.now(), self._clock.start_limit)
        return Caller(principal_id=None)


def bearer_token(authorization: str | None) -> str | None:
    """Give the token of an `Authorization` header, or None if it holds no bearer token."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == _BEARER else None
