"""Tokens that are signed with an access key of a resource: client tokens and those of REST calls.

Source: Azure SignalR .NET SDK. `kid` names a temporary key; for the resource's own keys it says
nothing that the service could depend on, so that it is ignored for them.
"""

from collections.abc import Mapping
from typing import Any

import jwt

from signalr_emulator.access_keys import AccessKeys
from signalr_emulator.errors import AuthenticationError
from signalr_emulator.lifetime import SIGNATURE_ONLY

__all__ = ["ALGORITHM", "audiences_of", "signed_claims"]

ALGORITHM = "HS256"
"""The algorithm that is accepted."""


def signed_claims(token: str, keys: AccessKeys) -> dict[str, Any]:
    """Check the signature of a token and give its claims, which are not checked.

    Args:
        token: The compact token.
        keys: Keys that may have signed it.

    Raises:
        AuthenticationError: No key that is valid now has signed the token.
    """
    try:
        key_id = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError as error:
        raise AuthenticationError("The token is not a JSON Web Token.") from error
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


def _claims(token: str, secret: str) -> dict[str, Any] | None:
    try:
        claims: dict[str, Any] = jwt.decode(
            token, secret, algorithms=[ALGORITHM], options=SIGNATURE_ONLY
        )
    except jwt.PyJWTError:
        return None
    return claims
