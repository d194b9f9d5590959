"""Tokens that are signed with an access key of a resource: client tokens and those of REST calls.

Source: Azure SignalR .NET SDK, which signs with HS256, or with HS512 if it is told to. `kid` names
a temporary key; for the resource's own keys it says nothing that the service could depend on, so
that it is ignored for them.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jwt
from jwt.algorithms import HMACAlgorithm

from ..documents.json_text import decode
from ..errors import AuthenticationError, JsonError
from .access_keys import AccessKeys

__all__ = ["ALGORITHM", "ALGORITHMS", "audiences_of", "signed_claims", "unverified_header"]

ALGORITHM = "HS256"
"""The algorithm that the service itself signs with."""


class _AnyLength(HMACAlgorithm):
    """HMAC with the keys of a service, which are shorter than HS512 wants (RFC 7518, 3.2).

    Whoever signs did not choose the key, so that PyJWT's warning would be of no use to anybody.
    """

    def check_key_length(self, key: bytes) -> None:
        """Find nothing wrong with a key."""


_HMAC = {"HS256": _AnyLength(HMACAlgorithm.SHA256), "HS512": _AnyLength(HMACAlgorithm.SHA512)}

ALGORITHMS = tuple(_HMAC)
"""The algorithms that are accepted."""


def _signatures() -> jwt.PyJWS:
    signatures = jwt.PyJWS(algorithms=())
    for name, algorithm in _HMAC.items():
        signatures.register_algorithm(name, algorithm)
    return signatures


_SIGNATURES = _signatures()


# As with its claims below.
@lru_cache(maxsize=1024)
def unverified_header(token: str) -> Mapping[str, Any]:
    """Give what a token says of its own signature, before PyJWT reads it with the key named there.

    PyJWT looks at every character of a token each time that it reads it.

    Args:
        token: The compact token.

    Raises:
        AuthenticationError: It is no token.
    """
    encoded = token.partition(".")[0]
    try:
        header = json.loads(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (ValueError, RecursionError) as error:
        raise AuthenticationError("The bearer token is not a JSON Web Token.") from error
    if not isinstance(header, dict):
        raise AuthenticationError("The bearer token is not a JSON Web Token.")
    return header


def signed_claims(token: str, keys: AccessKeys) -> Mapping[str, Any]:
    """Check the signature of a token and give its claims, which are not checked.

    Args:
        token: The compact token.
        keys: Keys that may have signed it.

    Raises:
        AuthenticationError: No key that is valid now has signed the token.
    """
    key_id = unverified_header(token).get("kid")
    secrets = keys.secrets_for(key_id if isinstance(key_id, str) else None)
    if not secrets:
        raise AuthenticationError("The key that signed the token is unknown or expired.")
    for secret in secrets:
        claims = _claims(token, secret)
        if claims is not None:
            return claims
    raise AuthenticationError("The signature of the token is not valid.")


def audiences_of(claims: Mapping[str, Any]) -> list[str]:
    """Give the values of `aud`, which is one string or several (RFC 7519, section 4.1.3)."""
    audience = claims.get("aud")
    values = audience if isinstance(audience, list) else [audience]
    return [value for value in values if isinstance(value, str)]


# A client shows its token at negotiation, at connecting and with each poll. Whether a secret has
# signed it stays as it is; whether the secret is still valid is asked each time.
@lru_cache(maxsize=1024)
def _claims(token: str, secret: str) -> Mapping[str, Any] | None:
    try:
        claims = decode(_SIGNATURES.decode(token, secret, ALGORITHMS))
    except (jwt.PyJWTError, JsonError):
        return None
    return claims if isinstance(claims, dict) else None
