"""The kinds of fields that messages have: how each is read, and how it is written.

What is read is as tolerant as Microsoft.Azure.SignalR.Protocols 1.34.0; what is written is what
that package reads. A map may have a key twice, and so is a tuple of pairs here.
"""

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Annotated, Any, Final, NamedTuple

from msgspec import Meta, Raw, ValidationError
from msgspec.msgpack import Decoder, Ext

from ..protocols.formats import Kind, kind_of, length_of
from ..protocols.parts import values
from ..protocols.values import TIMESTAMP, content, integer, text, timestamp, timestamp_data
from .pairs import Pairs, map_of, pairs_of

__all__ = [
    "FOR_EVER", "KNOWN_EXTENSIONS", "Binary", "Claims", "DataType", "DoubleProtocol",
    "Extension", "Filter", "FlowConnection", "FlowOperation", "FlowTarget", "FlowVerb", "Headers",
    "Int", "IsPartial", "Item", "LooseText", "OptionalBinary", "OptionalInt", "OptionalSecret",
    "OptionalText", "Pairs", "Payloads", "Protocol", "Secret", "Switch", "Target", "Text", "Texts",
    "Time", "Timestamp", "TracingId", "Ttl", "claims_map", "optional_text", "read_int32",
    "read_optional_text", "required_text",
]  # fmt: skip

_INT32: Final = range(-(1 << 31), 1 << 31)
_NO_INT32: Final = "must be a whole number of 32 bits"
_UINT64: Final = range(1 << 64)
_FIRST_SECOND: Final = -62_135_596_800
"""`DateTimeOffset.MinValue`."""

_NANOSECONDS: Final = range(1_000_000_000)

_FIXED_INT32: Final = b"\xd2"
_TIMESTAMP: Final = b"\xff"
"""How what a timestamp holds begins, as that of every extension: with its code."""

_NIL: Final = Raw(b"\xc0")

type _Int32 = Annotated[int, Meta(ge=_INT32.start, lt=_INT32.stop)]

_of_32_bits: Callable[[Raw], int] = Decoder(_Int32).decode
_boolean = Decoder(bool).decode
_bytes: Callable[[Raw], bytes | None] = Decoder(bytes | None).decode
_payload_map = Decoder(dict[str, bytes]).decode
_several = Decoder(tuple[str, ...]).decode


class Item(NamedTuple):
    """A field that is an item of the message's array.

    Args:
        read: Gives its value of what stands there; raises `ValueError` for what is none.
        write: Gives what msgspec is to write; raises `ValueError` for what no peer would read.
        is_secret: Whether the value must not be shown.
        usual: The type by which msgspec reads the same value, of all that comes there in earnest;
            `None` if there is none.
    """

    read: Callable[[Raw], Any]
    write: Callable[[Any], object]
    is_secret: bool = False
    usual: Any = None


class Extension(NamedTuple):
    """A field in the message's map of extensions; `read` and `write` as of `Item`.

    Args:
        key: Its key there.
    """

    key: int
    read: Callable[[Raw], Any]
    write: Callable[[Any], object]


class Timestamp(NamedTuple):
    """A moment that need not fit Python's years.

    Args:
        seconds: Since 1970, UTC.
        nanoseconds: Of the second.
    """

    seconds: int
    nanoseconds: int = 0


FOR_EVER: Final = Timestamp(253_402_300_799, 999_999_900)
"""`DateTimeOffset.MaxValue`: what has this for its end has none."""


class FlowConnection(IntEnum):
    """Whose messages a flow control is about."""

    CLIENT = 1
    SERVER = 2


class FlowOperation(IntEnum):
    """What a flow control asks for, or says."""

    PAUSE = 1
    PAUSE_ACK = 2
    RESUME = 3
    OFFLINE = 4


def _int32(value: object) -> int:
    # A range would be gone through one by one for a member of an enumeration.
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or not _INT32[0] <= value <= _INT32[-1]
    ):
        raise ValueError(_NO_INT32)
    return value


def read_int32(packed: Raw) -> int:
    """Read a whole number of 32 bits; raises `ValueError` for all else."""
    try:
        number = _of_32_bits(packed)
    except ValueError:
        raise ValueError(_NO_INT32) from None
    return number


def _optional_int32(value: int | None) -> int | None:
    return None if value is None else _int32(value)


def _read_optional_int32(packed: Raw) -> int | None:
    return None if packed == _NIL else read_int32(packed)


def _uint64(value: object) -> int:
    if type(value) is not int or value not in _UINT64:
        raise ValueError("must be a whole number of 64 bits that is not negative")
    return value


def _read_uint64(packed: Raw) -> int:
    return _uint64(integer(packed))


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004  as all others
    return value


def _read_switch(packed: Raw) -> bool:
    try:
        return _boolean(packed)
    except ValueError:
        raise ValueError("must be true or false") from None


def required_text(value: object) -> str:
    """Return a text; raises `ValueError` for all else."""
    if type(value) is not str:
        raise ValueError("must be a text")
    return value


def _read_text(packed: Raw) -> str:
    try:
        return text(packed)
    except ValueError:
        raise ValueError("must be a text") from None


def optional_text(value: object) -> str | None:
    """Return a text or nothing; raises `ValueError` for all else."""
    return None if value is None else required_text(value)


def read_optional_text(packed: Raw) -> str | None:
    """Read a text or nil; raises `ValueError` for all else."""
    return None if packed == _NIL else _read_text(packed)


def _read_loose_text(packed: Raw) -> str:
    return "" if packed == _NIL else _read_text(packed)


def _target(value: str | None) -> str:
    return required_text(value or "")


def _binary(value: object) -> bytes:
    if type(value) is not bytes:
        raise ValueError("must be bytes")
    return value


def _optional_binary(value: object) -> bytes | None:
    return None if value is None else _binary(value)


def _read_binary(packed: Raw) -> bytes:
    """Read bytes; a text in their place is its bytes, and nil is none."""
    try:
        return _bytes(packed) or b""
    except ValidationError:
        if kind_of(packed) is Kind.TEXT:
            return content(packed)
        raise ValueError("must be bytes") from None


def _texts(several: Sequence[str]) -> Sequence[str]:
    if isinstance(several, str):
        raise ValueError("must be several texts, and is one")  # noqa: TRY004  as all others
    return [required_text(each) for each in several]


def _read_texts(packed: Raw) -> tuple[str, ...]:
    if kind_of(packed) is not Kind.ARRAY:
        raise ValueError("must be an array")
    try:
        return _several(packed)
    except UnicodeDecodeError:
        _, each = values(bytes(packed))
        return tuple(map(_read_text, each))
    except ValueError:
        raise ValueError("must be a text") from None


def claims_map(given: Pairs[str]) -> Raw:
    """Write claims, a type of which may come again; raises `ValueError` for what is no text."""
    return map_of((required_text(kind), required_text(value)) for kind, value in given)


def _read_claims(packed: Raw) -> Pairs[str]:
    return tuple((_read_text(kind), _read_text(value)) for kind, value in pairs_of(packed))


def _headers(given: Pairs[Sequence[str]]) -> Raw:
    return map_of((required_text(name), _texts(each)) for name, each in given)


def _read_headers(packed: Raw) -> Pairs[tuple[str, ...]]:
    headers = tuple((_read_text(name), _read_texts(each)) for name, each in pairs_of(packed))
    if len({name.casefold() for name, _ in headers}) < len(headers):
        raise ValueError("must not have a header twice")
    return headers


def _payloads(given: Pairs[bytes]) -> Raw:
    return map_of((required_text(name), _binary(each)) for name, each in given)


def _read_payloads(packed: Raw) -> Pairs[bytes]:
    try:
        payloads = _payload_map(packed)
        if len(payloads) == length_of(packed):
            return tuple(payloads.items())
    except ValueError:
        # A text in place of bytes, or what is wrong.
        pass
    return tuple((_read_text(name), _read_binary(each)) for name, each in pairs_of(packed))


def _time(time: Timestamp) -> Ext:
    """Write the shortest form: whole seconds until 2106, a fraction until 2514, and all others."""
    seconds, nanoseconds = time
    if not (_FIRST_SECOND <= seconds <= FOR_EVER.seconds and nanoseconds in _NANOSECONDS):
        raise ValueError("must be a moment of the years 1 to 9999")
    return Ext(TIMESTAMP, timestamp_data(seconds, nanoseconds))


def _read_time(packed: Raw) -> Timestamp:
    data = content(packed) if kind_of(packed) is Kind.EXTENSION else b""
    if data[:1] != _TIMESTAMP:
        raise ValueError("must be a time")
    return Timestamp(*timestamp(data[1:]))


def _fixed(kind: type[IntEnum]) -> Item:
    """Return a number whose form has five bytes, whatever it is."""
    return Item(
        lambda packed: kind(read_int32(packed)),
        lambda value: Raw(_FIXED_INT32 + kind(value).to_bytes(4)),
    )


Text = Annotated[str, Item(_read_text, required_text, usual=str)]
OptionalText = Annotated[str | None, Item(read_optional_text, optional_text, usual=str | None)]
LooseText = Annotated[str, Item(_read_loose_text, optional_text, usual=str)]
"""A text, for which nil is read as an empty one."""
Target = Annotated[str | None, Item(read_optional_text, _target)]
Secret = Annotated[str, Item(_read_text, required_text, is_secret=True)]
OptionalSecret = Annotated[str | None, Item(read_optional_text, optional_text, is_secret=True)]
"""A token, a key, a query that may hold one: whoever has it can use it."""
Int = Annotated[int, Item(read_int32, _int32, usual=_Int32)]
OptionalInt = Annotated[int | None, Item(_read_optional_int32, _optional_int32)]
Switch = Annotated[bool, Item(_read_switch, _switch)]
Binary = Annotated[bytes, Item(_read_binary, _binary, is_secret=True, usual=bytes)]
OptionalBinary = Annotated[bytes | None, Item(_read_binary, _optional_binary, is_secret=True)]
Texts = Annotated[Sequence[str], Item(_read_texts, _texts, usual=tuple[str, ...])]
Claims = Annotated[Pairs[str], Item(_read_claims, claims_map, is_secret=True)]
"""Type and value of each; a type may come again."""
Headers = Annotated[Pairs[Sequence[str]], Item(_read_headers, _headers, is_secret=True)]
Payloads = Annotated[Pairs[bytes], Item(_read_payloads, _payloads, is_secret=True)]
"""Name of each hub protocol, and a message as it writes it, framing included."""
Time = Annotated[Timestamp, Item(_read_time, _time)]
FlowTarget = Annotated[FlowConnection, _fixed(FlowConnection)]
FlowVerb = Annotated[FlowOperation, _fixed(FlowOperation)]

_protocol: Final = Extension(3, read_optional_text, required_text)
TracingId = Annotated[int | None, Extension(1, _read_uint64, _uint64)]
Ttl = Annotated[int | None, Extension(2, read_int32, _int32)]
"""Seconds."""
Protocol = Annotated[str | None, _protocol]
DoubleProtocol = Annotated[str | None, Item(read_optional_text, optional_text), _protocol]
"""The name of a hub protocol as an item, and once more as an extension, which counts."""
Filter = Annotated[str | None, Extension(4, read_optional_text, required_text)]
DataType = Annotated[int, Extension(5, read_int32, _int32)]
IsPartial = Annotated[bool, Extension(6, _read_switch, _switch)]

KNOWN_EXTENSIONS: Final = range(1, 7)
"""Keys of extensions. A reader takes one that the message does not have for a key alone, and its
value for the next key."""
