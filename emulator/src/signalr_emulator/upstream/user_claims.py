"""The claims of a client token that belong to the user, as an upstream sees them.

Source: Azure SignalR .NET SDK (`ClaimsUtility`): claims that SDKs add begin with `asrs.s.`; a
claim of the user whose name is reserved travels with the prefix `asrs.u.`.
"""

from collections.abc import Iterator, Mapping

from ..documents.json_text import Json, encode
from ..errors import JsonError

__all__ = ["user_claims"]

_SYSTEM = "asrs.s."
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


def user_claims(payload: Mapping[str, Json]) -> tuple[tuple[str, str], ...]:
    """Give types and values of the user's claims, in the order of the token.

    Args:
        payload: The token's claims. An array is several claims of one type; what is no text is
            given as JSON.
    """
    return tuple(_claims(payload))


def _claims(payload: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for name, value in payload.items():
        if name.startswith(_SYSTEM) or name in _RESERVED:
            continue
        kind = name.removeprefix(_USER)
        for item in value if isinstance(value, list) else [value]:
            yield kind, item if isinstance(item, str) else _json(item)


def _json(value: Json) -> str:
    try:
        return encode(value).decode()
    except JsonError:
        # PyJWT lets NaN through, which has no JSON form.
        return str(value)
