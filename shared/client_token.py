"""Client tokens: the claims that the service reads, and the signature."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Final

from jwt.algorithms import HMACAlgorithm

from shared.access_key import AccessKey
from shared.errors import InvalidArgumentError, TokenTooLargeError

__all__ = ["MAX_TOKEN_LENGTH", "ClaimValue", "ClientToken", "sign_client_token"]

type ClaimValue = str | int | float | bool | list[ClaimValue] | dict[str, ClaimValue]
"""What a claim can hold."""

type ClientToken = str
"""A signed JSON Web Token in its compact form."""

MAX_TOKEN_LENGTH: Final = 4096
"""Longest token in characters that the SDK for .NET sends and HTTP/2 front ends let through."""

# Claims of this list mean something to the service, so the SDK for .NET renames a caller's own.
_RESERVED: Final = frozenset(
    {"aud", "exp", "iat", "nbf", "iss", "actort", "acr", "azp", "c_hash", "jti", "nonce"}
)
_SYSTEM_PREFIX: Final = "asrs.s."
_USER_PREFIX: Final = "asrs.u."

_hs256 = HMACAlgorithm(HMACAlgorithm.SHA256)
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def sign_client_token(
    key: AccessKey,
    audience: str,
    *,
    now: float,
    lifetime: float,
    user_id: str | None = None,
    claims: Mapping[str, ClaimValue] | None = None,
) -> ClientToken:
    """Make a token with which one client may connect to one hub.

    The form is that of the SDK for .NET: HS256, the key's id as `kid`, `nbf` and `iat` now, the
    user id as `asrs.s.uid`; a caller's claim with a reserved name is renamed to `asrs.u.<name>`.

    Args:
        key: The key to sign with. The token never outlives it.
        audience: The hub's client URL, from `Endpoint.client_audience`.
        now: Current time in epoch seconds.
        lifetime: Seconds for which a client may connect with the token.
        user_id: The user that the connection belongs to, or `None` for an anonymous one.
        claims: More claims for the token.

    Raises:
        InvalidArgumentError: A claim has one of the service's own names or cannot be JSON.
        TokenTooLargeError: The token is longer than 4,096 bytes.
    """
    issued_at = int(now)
    payload: dict[str, object] = {
        "aud": audience,
        "iat": issued_at,
        "nbf": issued_at,
        "exp": int(min(now + lifetime, key.expires_at)),
    }
    if user_id is not None:
        payload["asrs.s.uid"] = user_id
    if claims:
        payload.update(_renamed(claims))
    try:
        encoded = urlsafe_b64encode(_encode(payload).encode()).rstrip(b"=")
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError("claims", f"cannot be written as JSON: {error}") from None
    message = key.token_header + encoded
    signature = urlsafe_b64encode(_hs256.sign(message, key.secret)).rstrip(b"=")
    token = (message + b"." + signature).decode()
    if len(token) > MAX_TOKEN_LENGTH:
        raise TokenTooLargeError(len(token), MAX_TOKEN_LENGTH, _largest(payload))
    return token


def _renamed(claims: Mapping[str, ClaimValue]) -> dict[str, ClaimValue]:
    """Apply the SDK's renaming rule to a caller's claims."""
    renamed: dict[str, ClaimValue] = {}
    for name, value in claims.items():
        if name.startswith(_SYSTEM_PREFIX):
            raise InvalidArgumentError("claims", f"{name!r} is a name of the service itself")
        renamed[_USER_PREFIX + name if name in _RESERVED else name] = value
    return renamed


def _largest(payload: Mapping[str, object]) -> list[str]:
    sizes = {name: len(_encode(value)) for name, value in payload.items()}
    return sorted(sizes, key=lambda name: sizes[name], reverse=True)[:3]
