"""Values of one hub protocol as the other has them, for what is sent in one and read in the other.

Each side loses what the other has not: docs/fidelity.md has the table.
"""

import base64
import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import msgpack  # type: ignore[import-untyped]  # the package has no annotations

from ..documents.json_text import Json, encode
from ..documents.verbatim import JsonText
from ..errors import JsonError

__all__ = ["json_text", "json_value", "packed"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MIN_INT = -(2**63)
_MAX_INT = 2**64 - 1
_MAX_INT_LENGTH = 20
"""Characters of the longest number between them."""


def packed(text: JsonText) -> bytes:
    """Write a value in MessagePack.

    A number is an integer if it is written as one and 64 bits hold it, else a double, which may be
    an infinity, as in JavaScript; a lone surrogate becomes a question mark.

    Raises:
        JsonError: The value is nested too deep.
    """
    try:
        written: bytes = msgpack.packb(_decode(text.decode()), unicode_errors="replace")
    except (ValueError, RecursionError) as error:
        raise JsonError("is nested too deep for MessagePack") from error
    return written


def json_text(value: bytes) -> JsonText:
    """Write a value, given in MessagePack, as `json_value` makes it.

    Raises:
        JsonError: The bytes are not MessagePack, or nested too deep.
    """
    try:
        return JsonText(encode(json_value(msgpack.unpackb(value, strict_map_key=False))))
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        # An array as the key of a map is a TypeError. The exception's own text would quote values.
        raise JsonError("is not valid MessagePack") from error


def json_value(value: Any) -> Json:  # noqa: ANN401, PLR0911 - whatever MessagePack can hold
    """Give what JSON has for a value of MessagePack.

    Binary comes out as base64, and so does what an unknown extension holds; a timestamp as text of
    RFC 3339, NaN and the infinities by their names, and the key of a map by its JSON text.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else _name(value)
        case list():
            return [json_value(item) for item in value]
        case dict():
            return {_key(name): json_value(item) for name, item in value.items()}
        case bytes():
            return base64.b64encode(value).decode()
        case msgpack.Timestamp():
            return _rfc_3339(value)
        case _:
            return base64.b64encode(bytes(value.data)).decode()


def _integer(text: str) -> int | float:
    if len(text) <= _MAX_INT_LENGTH and _MIN_INT <= (value := int(text)) <= _MAX_INT:
        return value
    return float(text)


_decode = json.JSONDecoder(parse_int=_integer).decode


def _key(name: Any) -> str:  # noqa: ANN401 - as above
    value = json_value(name)
    return value if isinstance(value, str) else encode(value).decode()


def _name(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _rfc_3339(timestamp: Any) -> str:  # noqa: ANN401 - a msgpack.Timestamp
    try:
        moment = _EPOCH + timedelta(seconds=timestamp.seconds)
    except OverflowError:
        # No calendar has this year.
        return base64.b64encode(timestamp.to_bytes()).decode()
    # A datetime has microseconds, of which .NET has ten parts and a timestamp a thousand.
    fraction = f".{timestamp.nanoseconds:09}".rstrip("0").rstrip(".")
    return f"{moment.replace(tzinfo=None).isoformat()}{fraction}Z"
