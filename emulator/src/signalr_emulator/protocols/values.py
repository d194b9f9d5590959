"""Values in MessagePack, read as Python's and written.

msgspec writes them, and reads numbers. It would not read a text that is not UTF-8, and of a
timestamp no part of a microsecond and no year after 9999.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from msgspec import Raw
from msgspec.msgpack import Decoder, decode, encode

from .formats import Kind, head

__all__ = [
    "TIMESTAMP",
    "Extension",
    "content",
    "integer",
    "optional_text",
    "read",
    "text",
    "timestamp",
    "timestamp_data",
    "write",
]

TIMESTAMP: Final = -1
"""The code of the extension that is a moment."""

_SECOND: Final = 1_000_000_000
"""Nanoseconds."""

_SECONDS_BITS: Final = 34

_integer: Callable[[Raw], int] = Decoder(int).decode
_text: Callable[[Raw], str] = Decoder(str).decode
_optional_text: Callable[[Raw], str | None] = Decoder(str | None).decode


class Extension(NamedTuple):
    """A value of a type that MessagePack does not have itself."""

    code: int
    data: bytes


def integer(packed: Raw) -> int | None:
    """Read an integer; of any other value, a double with its digits among them, nothing."""
    try:
        return _integer(packed)
    except ValueError:
        return None


def text(packed: Raw) -> str:
    """Read a text; what is not UTF-8 in it becomes U+FFFD.

    Raises:
        ValueError: It is no text.
    """
    try:
        return _text(packed)
    except UnicodeDecodeError:
        return content(packed).decode(errors="replace")


def optional_text(packed: Raw) -> str | None:
    """Read nil, or a text as `text` does.

    Raises:
        ValueError: It is neither.
    """
    try:
        return _optional_text(packed)
    except UnicodeDecodeError:
        return text(packed)


def content(packed: Raw) -> bytes:
    """Give the bytes that a value holds: of a text its UTF-8."""
    value = bytes(packed)
    return value[head(value)[1] :]


def read(packed: bytes, errors: str = "strict") -> Any:  # noqa: ANN401 - whatever MessagePack can hold
    """Read one value.

    Args:
        packed: The value, and nothing else.
        errors: What becomes of a text that is not UTF-8, as `bytes.decode` has it.

    Raises:
        ValueError: The bytes are no value, or a text in it is not UTF-8.
        TypeError: A map has a key that Python's have not: an array or a map.
        RecursionError: It is nested too deep.
    """
    value, at = _read(packed, 0, errors)
    if at != len(packed):
        raise ValueError("something follows")
    return value


def _read(packed: bytes, at: int, errors: str) -> tuple[Any, int]:
    kind, start, length = head(packed, at)
    if kind is Kind.ARRAY:
        return _read_array(packed, start, length, errors)
    if kind is Kind.MAP:
        return _read_map(packed, start, length, errors)
    end = start + length
    if end > len(packed):
        raise ValueError("the value is not whole")
    if kind is Kind.TEXT:
        return str(packed[start:end], "utf-8", errors), end
    if kind is Kind.BINARY:
        return packed[start:end], end
    if kind is Kind.EXTENSION:
        code = int.from_bytes(packed[start : start + 1], signed=True)
        return Extension(code, packed[start + 1 : end]), end
    return decode(packed[at:end]), end


def _read_array(packed: bytes, at: int, length: int, errors: str) -> tuple[list[Any], int]:
    values: list[Any] = []
    for _ in range(length):
        value, at = _read(packed, at, errors)
        values.append(value)
    return values, at


def _read_map(packed: bytes, at: int, length: int, errors: str) -> tuple[dict[Any, Any], int]:
    values: dict[Any, Any] = {}
    for _ in range(length):
        key, at = _read(packed, at, errors)
        values[key], at = _read(packed, at, errors)
    return values, at


def timestamp(data: bytes) -> tuple[int, int]:
    """Give the seconds since 1970, UTC, and the nanoseconds of a timestamp, an extension's data.

    Raises:
        ValueError: It is none.
    """
    number = int.from_bytes(data)
    match len(data):
        case 4:
            return number, 0
        case 8:
            nanoseconds, seconds = divmod(number, 1 << _SECONDS_BITS)
        case 12:
            nanoseconds = int.from_bytes(data[:4])
            seconds = int.from_bytes(data[4:], signed=True)
        case _:
            raise ValueError("a timestamp has 4, 8 or 12 bytes")
    if nanoseconds >= _SECOND:
        raise ValueError("a second has not so many nanoseconds")
    return seconds, nanoseconds


def timestamp_data(seconds: int, nanoseconds: int) -> bytes:
    """Write a timestamp as an extension's data, in its shortest form."""
    if 0 <= seconds < 1 << _SECONDS_BITS:
        if not nanoseconds and seconds < 1 << 32:
            return seconds.to_bytes(4)
        return (nanoseconds << _SECONDS_BITS | seconds).to_bytes(8)
    return nanoseconds.to_bytes(4) + seconds.to_bytes(8, signed=True)


def write(value: object) -> bytes:
    """Write a value; half a surrogate pair becomes a question mark.

    Raises:
        RecursionError: It is nested too deep.
    """
    try:
        return encode(value)
    except UnicodeEncodeError:
        return encode(_without_halves(value))


def _without_halves(value: object) -> object:
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case list():
            return [_without_halves(each) for each in value]
        case dict():
            return {_without_halves(name): _without_halves(each) for name, each in value.items()}
        case _:
            return value
