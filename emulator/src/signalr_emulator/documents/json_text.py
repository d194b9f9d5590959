"""Strict JSON (RFC 8259) in and out, with one exception for everything that can go wrong."""

import json
import math
from typing import Never

from ..errors import JsonError

__all__ = ["Json", "decode", "decode_file", "encode", "finite", "refuse_constant"]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None


def decode(text: bytes | bytearray) -> Json:
    """Parse UTF-8 JSON text.

    Raises:
        JsonError: The bytes are not UTF-8, not JSON, nested too deep, or hold a number that a
            double cannot hold.
    """
    try:
        value: Json = _READ(text.decode("utf-8"))
    except RecursionError:
        raise JsonError("is nested too deep") from None
    except ValueError as error:
        # JSONDecodeError, UnicodeDecodeError and the limit on the digits of an integer. The
        # exception's own text would quote the input.
        raise JsonError("is not valid JSON in UTF-8") from error
    return value


def decode_file(content: bytes) -> Json:
    """Parse what a JSON file holds that people write, after a byte order mark or without.

    Raises:
        JsonError: As from `decode`, with line and column where it is no JSON; or an object has a
            name twice, of which one would be lost.
    """
    text = content.removeprefix(_BYTE_ORDER_MARK)
    try:
        value = decode(text)
    except JsonError as error:
        cause = error.__cause__
        if not isinstance(cause, json.JSONDecodeError):
            raise
        place = f"{cause.msg} at line {cause.lineno}, column {cause.colno}"
        raise JsonError(f"{error}: {place}") from cause
    json.loads(text, object_pairs_hook=_once)
    return value


def encode(value: Json) -> bytes:
    """Write compact UTF-8 JSON text, with non-ASCII characters as they are.

    Raises:
        JsonError: The value is nested too deep or holds NaN or an infinity.
    """
    try:
        text = _WRITE(value)
        try:
            return text.encode("utf-8")
        except UnicodeEncodeError:
            # A lone surrogate (legal in JSON as \ud800) has no UTF-8 form, only an escape.
            return _WRITE_ASCII(value).encode("ascii")
    except RecursionError:
        raise JsonError("is nested too deep") from None
    except ValueError as error:
        raise JsonError("has no JSON form") from error


def finite(text: str) -> float:
    """Read a number.

    Raises:
        ValueError: A double cannot hold it.
    """
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number


def refuse_constant(name: str) -> Never:
    """Refuse NaN and the infinities, which Python's reader takes.

    Raises:
        ValueError: Always.
    """
    raise ValueError(f"{name} is not JSON")


def _once(members: list[tuple[str, object]]) -> None:
    seen: set[str] = set()
    for name, _ in members:
        if name in seen:
            raise JsonError(f'has "{name}" twice in one object')
        seen.add(name)


# Made once: `json.loads` would make a decoder for each of the short texts that are read here.
_READ = json.JSONDecoder(parse_constant=refuse_constant, parse_float=finite).decode
_WRITE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_WRITE_ASCII = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode
