"""Who calls the data plane: the bearer token of a request becomes a caller.

A token says by its algorithm what kind it is; each kind has one entry in the table of
`Authenticator`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jwt

from signalr_emulator.entra import Tenant
from signalr_emulator.errors import AuthenticationError

__all__ = ["ENTRA_AUDIENCES", "Authenticator", "Caller", "bearer_token"]

ENTRA_AUDIENCES = frozenset(("https://signalr.azure.com", "https://signalr.azure.com/"))
"""Acceptable `aud` of an Entra token (scope `https://signalr.azure.com/.default` of the SDKs)."""

_BEARER = "bearer"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the object id of an Entra service principal."""

    principal_id: str


class Authenticator:
    """Tells who calls.

    Args:
        tenant: Whose Entra tokens are accepted.
    """

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._by_algorithm: Mapping[str, Callable[[str], Caller]] = {"RS256": self._entra}

    def caller(self, authorization: str | None) -> Caller:
        """Check the `Authorization` header of a request.

        Raises:
            AuthenticationError: There is no bearer token, or it is not valid here.
        """
        token = bearer_token(authorization)
        if token is None or not token.isascii():
            raise AuthenticationError("The request needs a bearer token.")
        try:
            algorithm = jwt.get_unverified_header(token).get("alg")
        except jwt.PyJWTError as error:
            raise AuthenticationError("The bearer token is not a JSON Web Token.") from error
        check = self._by_algorithm.get(str(algorithm))
        if check is None:
            raise AuthenticationError("Tokens of this algorithm are not accepted.")
        return check(token)

    def _entra(self, token: str) -> Caller:
        return Caller(principal_id=self._tenant.validate(token, ENTRA_AUDIENCES))


def bearer_token(authorization: str | None) -> str | None:
    """Give the token of an `Authorization` header, or None if it holds no bearer token."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == _BEARER else None
