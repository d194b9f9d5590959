"""Values of an app as clients get them: in JSON, in MessagePack, or in both.

A `Decimal` is a number with all its digits in JSON, as .NET writes its `decimal`; in MessagePack it
is text, again as there (MessagePack-CSharp, `DecimalFormatter`). What is none of JSON's types is
written as msgspec does: bytes as Base64 and times by RFC 3339 in JSON, as the SDK for .NET has it,
dataclasses as objects. msgspec is imported when it is needed first, since the library does without
it otherwise.
"""

import functools
import json
import math
from collections.abc import Callable
from datetime import datetime
from typing import Final

from ..errors import InvalidArgumentError
from ..unwritable import UNWRITABLE, unwritable

__all__ = ["RawJson", "as_base", "as_json", "as_messagepack", "written"]

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode

_BINARY: Final = (bytes, bytearray, memoryview, datetime)
"""What MessagePack has and JSON has not."""

_HINT: Final = (
    ". With the package msgspec, bytes, times and dataclasses can be sent as well:"
    " pip install 'keyless-signalr[messagepack]'"
)


class RawJson(bytes):
    """JSON text in UTF-8 that goes on as it is. Nobody looks into it again."""

    __slots__ = ()


def written(argument: str, value: object) -> tuple[bytes, bytes | None]:
    """Write a value for clients of both hub protocols.

    Args:
        argument: What the value is called in errors.
        value: The value.

    Returns:
        It in JSON, and in MessagePack where that says more than the service could make of the JSON:
        that bytes are bytes, and a time is a time. Else `None`.

    Raises:
        InvalidArgumentError: Something in the value cannot be written; the error says what, and
            where.
    """
    if isinstance(value, RawJson):
        return value, None
    try:
        return _json(value), None
    except UNWRITABLE:
        pass
    text = as_json(argument, value)
    try:
        _json(_plain(value, *_BINARY))
    except TypeError:
        return text, as_messagepack(argument, value)
    return text, None


def as_json(argument: str, value: object) -> bytes:
    """Return a value as JSON in UTF-8; otherwise as `written`."""
    try:
        return _json(value)
    except UNWRITABLE:
        plain = _checked(argument, "JSON", value, _plain)
    return _checked(argument, "JSON", plain, _json)


def as_messagepack(argument: str, value: object) -> bytes:
    """Return a value in MessagePack, for which msgspec has to be there; otherwise as `written`."""
    return _checked(argument, "MessagePack", value, _messagepack())


def as_base(value: object) -> object:
    """Return a text or a number of a class of its own as what it is: msgspec asks for it.

    JSON's writer takes such a class for its base by itself.

    Raises:
        TypeError: It is neither.
    """
    match value:
        case str():
            return str.__str__(value)
        case int():
            return int.__int__(value)
        case float():
            return float.__float__(value)
        case _:
            raise TypeError(f"a value of type {type(value).__name__}")


def _checked[T](argument: str, form: str, value: object, write: Callable[[object], T]) -> T:
    try:
        return write(value)
    except UNWRITABLE as error:
        hint = _HINT if isinstance(error, TypeError) and not _has_msgspec() else ""
        problem = f"cannot be written as {form}: {unwritable(value, write)}{hint}"
        raise InvalidArgumentError(argument, problem) from None


def _json(value: object) -> bytes:
    try:
        return _encode(value).encode()
    except TypeError:
        # Perhaps for a Decimal, which Python's writer does not know.
        return _with_decimals(value).encode()


def _with_decimals(value: object) -> str:
    from decimal import Decimal  # noqa: PLC0415  for which no cold start should wait

    match value:
        case Decimal() if value.is_finite() and not math.isinf(float(value)):
            return str(value)
        case Decimal():
            raise ValueError("no JSON number")
        case dict():
            # The key as Python's writer has it, with its colon.
            members = (
                _encode({key: None})[1:-5] + _with_decimals(inner) for key, inner in value.items()
            )
            return f"{{{','.join(members)}}}"
        case list() | tuple():
            return f"[{','.join(map(_with_decimals, value))}]"
        case _:
            return _encode(value)


def _plain(value: object, *kept: type) -> object:
    """Return a value as JSON's types, `Decimal`, and the types that shall stay what they are."""
    if not _has_msgspec():
        return value
    from decimal import Decimal  # noqa: PLC0415  as above

    import msgspec  # noqa: PLC0415  as above

    return msgspec.to_builtins(value, builtin_types=(Decimal, *kept))


@functools.cache
def _messagepack() -> Callable[[object], bytes]:
    import msgspec  # noqa: PLC0415  as above

    return msgspec.msgpack.Encoder(enc_hook=as_base).encode


@functools.cache
def _has_msgspec() -> bool:
    try:
        import msgspec  # noqa: F401, PLC0415  as above
    except ImportError:
        return False
    return True
