"""The claims of a client token: those that belong to its user, and those that a connection holds.

Source: Azure SignalR .NET SDK (`ClaimsUtility`): claims that SDKs add begin with `asrs.s.`; a
claim of the user whose name is reserved travels with the prefix `asrs.u.`.
"""

from collections.abc import Iterable, Iterator, Mapping

from ..documents.json_text import Json, encode
from ..errors import JsonError

__all__ = ["SYSTEM_PREFIX", "Claim", "claims_payload", "held_claims", "user_claims"]

SYSTEM_PREFIX = "asrs.s."
"""Begins the names of claims that are about the connection, and not the user's."""

_USER = "asrs.u."
_RESERVED = frozenset(
    (
        "acr",
        "actort",
        "aud",
        "azp",
        "c_hash",
        "exp",
        "iat",
        "iss",
        "jti",
        "nbf",
        "nonce",
    )
)

type Claim = tuple[str, str]
"""Type and value."""


def user_claims(payload: Mapping[str, Json]) -> tuple[Claim, ...]:
    """Give the claims of the user as an upstream sees them, in the order of the token.

    Args:
        payload: The token's claims. An array is several claims of one type; what is no text is
            given as JSON.
    """
    return tuple(
        (kind.removeprefix(_USER), value)
        for kind, value in held_claims(payload)
        if not kind.startswith(SYSTEM_PREFIX)
    )


def held_claims(payload: Mapping[str, Json]) -> tuple[Claim, ...]:
    """Give the claims that a connection holds: all but the reserved ones, which are a token's own.

    Args:
        payload: As for `user_claims`.
    """
    return tuple(_claims(payload))


def claims_payload(claims: Iterable[Claim]) -> dict[str, Json]:
    """Give claims as a token has them, without the reserved ones: several of a type in an array."""
    by_type: dict[str, list[Json]] = {}
    for kind, value in claims:
        if kind not in _RESERVED:
            by_type.setdefault(kind, []).append(value)
    return {kind: values if len(values) > 1 else values[0] for kind, values in by_type.items()}


def _claims(payload: Mapping[str, Json]) -> Iterator[Claim]:
    for kind, value in payload.items():
        if kind in _RESERVED:
            continue
        for item in value if isinstance(value, list) else [value]:
            yield kind, item if isinstance(item, str) else _json(item)


def _json(value: Json) -> str:
    try:
        return encode(value).decode()
    except JsonError:
        # PyJWT lets NaN through, which has no JSON form.
        return str(value)
