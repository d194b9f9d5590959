"""What a token says that was refused, for the person who looks for the reason.

Nothing of it is checked, and nothing that could be used is given: no signature, no connection.
"""

from collections.abc import Mapping
from typing import Final

import jwt

from ..documents.json_text import Json
from ..entra.lifetime import NOT_A_TOKEN

__all__ = ["unproven_claims"]

_HEADER: Final = ("alg", "kid")
_CLAIMS: Final = ("aud", "iss", "oid", "appid", "azp", "sub", "asrs.s.uid", "nbf", "iat", "exp")
_LONGEST: Final = 300
"""How much of a value is shown, in characters."""

_LARGEST: Final = 10**12
"""The largest number that is given as one: more is no time, and JSON has no infinity."""


def unproven_claims(token: str) -> Mapping[str, Json] | None:
    """Give what tells why a token is not valid, or None if the text is no token."""
    try:
        decoded = jwt.decode_complete(token, options={"verify_signature": False})
    except NOT_A_TOKEN:
        return None
    said = {
        **{name: decoded["header"].get(name) for name in _HEADER},
        **{name: decoded["payload"].get(name) for name in _CLAIMS},
    }
    return {name: _shown(value) for name, value in said.items() if value is not None}


def _shown(value: object) -> Json:
    if isinstance(value, bool | int | float) and abs(value) <= _LARGEST:
        return value
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
