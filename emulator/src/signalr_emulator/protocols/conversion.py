"""Values of one hub protocol as the other has them, for what is sent in one and read in the other.

Each side loses what the other has not: docs/fidelity.md has the table.
"""

import base64
import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Raw
from msgspec.msgpack import Ext, decode

from ..documents.json_text import Json, encode
from ..documents.verbatim import JsonText
from ..errors import JsonError
from .values import TIMESTAMP, Extension, read, timestamp, write

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
        return write(_decode(text.decode()))
    except RecursionError as error:
        raise JsonError("is nested too deep for MessagePack") from error


def json_text(value: bytes | Raw, errors: str = "strict") -> JsonText:
    """Write a value, given in MessagePack, as `json_value` makes it.

    Args:
        value: The value.
        errors: What becomes of a text that is not UTF-8, as `bytes.decode` has it.

    Raises:
        JsonError: The bytes are not MessagePack, or nested too deep.
    """
    try:
        try:
            return JsonText(encode(json_value(decode(value))))
        except (ValueError, RecursionError):
            # msgspec is faster, and reads fewer values.
            return JsonText(encode(json_value(read(bytes(value), errors))))
    except (ValueError, TypeError, RecursionError) as error:
        # An array as the key of a map is a TypeError. The exception's own text would quote values.
        raise JsonError("is not valid MessagePack") from error


def json_value(value: Any) -> Json:  # noqa: ANN401, PLR0911 - whatever MessagePack can hold
    """Give what JSON has for a value of MessagePack.

    Binary comes out as base64, and so does what an unknown extension holds; a timestamp as text of
    RFC 3339, NaN and the infinities by their names, and the key of a map by its JSON text.

    Raises:
        ValueError: A timestamp is none, or comes as a `datetime`, which has no nanoseconds.
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
        case Extension() if value.code == TIMESTAMP:
            return _rfc_3339(value.data)
        case Extension() | Ext():
            return base64.b64encode(value.data).decode()
        case _:
            raise ValueError("a moment without its nanoseconds, or a key that JSON has not")


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


def _rfc_3339(data: bytes) -> str:
    seconds, nanoseconds = timestamp(data)
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        # No calendar has this year.
        return base64.b64encode(data).decode()
    # A datetime has microseconds, of which .NET has ten parts and a timestamp a thousand.
    fraction = f".{nanoseconds:09}".rstrip("0").rstrip(".")
    return f"{moment.replace(tzinfo=None).isoformat()}{fraction}Z"
