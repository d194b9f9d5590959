"""The kinds of fields that messages have: how each is read, and how it is written.

A message declares its fields by the types below, and reading and writing follow from that. What
is read is as tolerant as Microsoft.Azure.SignalR.Protocols 1.34.0; what is written is what that
package reads.
"""

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Annotated, Any, Final, NamedTuple

from msgspec import Meta, Raw, ValidationError
from msgspec.msgpack import Decoder, Ext

from .items import Pairs, binary, flat_map, map_of, pairs

__all__ = [
    "FOR_EVER", "KNOWN_EXTENSIONS", "Binary", "Claims", "DataType", "DoubleProtocol",
    "Extension", "Filter",
    "FlowConnection", "FlowOperation", "FlowTarget", "FlowVerb", "Headers", "Int", "IsPartial",
    "Item", "LooseText", "OptionalBinary", "OptionalInt", "OptionalSecret", "OptionalText",
    "Payloads", "Protocol", "Rest", "Secret", "Switch", "Target", "Text", "Texts", "Time",
    "Timestamp", "TracingId", "Ttl", "read_int",
]  # fmt: skip

_SMALLEST: Final = -(1 << 31)
_LARGEST: Final = (1 << 31) - 1
_LARGEST_TRACING_ID: Final = (1 << 64) - 1
_INT32: Final = "must be a whole number of 32 bits"

_TIMESTAMP: Final = -1
_FIRST_SECOND: Final = -62_135_596_800
"""`DateTimeOffset.MinValue`."""

_SECOND: Final = 1_000_000_000
"""Nanoseconds."""


class Item(NamedTuple):
    """A field that is an item of the message's array.

    Args:
        read: Gives its value; raises `ValueError` for what is none.
        write: Gives what msgspec writes for its value, or raises `ValueError` with the end of a
            sentence about it. `None`: the value itself.
        nil: Whether `None` may be written.
        secret: Whether the value must not be shown.
        is_rest: Whether it has all items that are left, however many.
    """

    read: Callable[[Any], Any]
    write: Callable[[Any], object] | None = None
    nil: bool = False
    secret: bool = False
    is_rest: bool = False


class Extension(NamedTuple):
    """A field in the message's map of extensions; `read` and `write` as of `Item`.

    Args:
        key: Its key there.
    """

    key: int
    read: Callable[[Any], Any]
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


_text = Decoder(str).decode
_optional_text = Decoder(str | None).decode
_texts = Decoder(list[str]).decode
_optional_texts = Decoder(list[str | None]).decode
_raws = Decoder(list[Raw]).decode
_optional_bytes = Decoder(bytes | None).decode
_switch = Decoder(bool).decode
_ext = Decoder(Ext).decode
read_int = Decoder(Annotated[int, Meta(ge=_SMALLEST, le=_LARGEST)]).decode
_optional_int32 = Decoder(Annotated[int, Meta(ge=_SMALLEST, le=_LARGEST)] | None).decode
_uint64 = Decoder(Annotated[int, Meta(ge=0)]).decode


def _read_loose_text(item: Raw) -> str:
    return _optional_text(item) or ""


def _read_binary(item: Raw) -> bytes:
    try:
        return _optional_bytes(item) or b""
    except ValidationError:
        # A text in their place is its bytes.
        return _optional_bytes(binary(item)) or b""


def _read_texts(item: Raw) -> tuple[str, ...]:
    return tuple(_texts(item))


def _read_rest(items: list[Raw]) -> tuple[str | None, ...]:
    return tuple(_optional_text(each) for each in items)


def _read_claims(item: Raw) -> Pairs[str]:
    return pairs(_texts(flat_map(item)[1]))


def _read_headers(item: Raw) -> Pairs[tuple[str, ...]]:
    read = [(_text(name), _read_texts(values)) for name, values in _raw_pairs(item)]
    if len({name.casefold() for name, _ in read}) < len(read):
        raise ValueError("has a header twice")
    return tuple(read)


def _read_payloads(item: Raw) -> Pairs[bytes]:
    return tuple((_text(name), _read_binary(payload)) for name, payload in _raw_pairs(item))


def _raw_pairs(item: Raw) -> tuple[tuple[Raw, Raw], ...]:
    return pairs(_raws(flat_map(item)[1]))


def _read_time(item: Raw) -> Timestamp:
    ext = _ext(item)
    data = bytes(ext.data)
    match ext.code, len(data):
        case int(code), 4 if code == _TIMESTAMP:
            return Timestamp(int.from_bytes(data))
        case int(code), 8 if code == _TIMESTAMP:
            nanoseconds, seconds = divmod(int.from_bytes(data), 1 << 34)
        case int(code), 12 if code == _TIMESTAMP:
            nanoseconds = int.from_bytes(data[:4])
            seconds = int.from_bytes(data[4:], signed=True)
        case _:
            raise ValueError("is no time")
    if nanoseconds >= _SECOND:
        raise ValueError("is no time")
    return Timestamp(seconds, nanoseconds)


def _write_time(time: Timestamp) -> Ext:
    """Write the shortest form: whole seconds until 2106, a fraction until 2514, and all others."""
    seconds, nanoseconds = time
    if not (_FIRST_SECOND <= seconds <= FOR_EVER.seconds and 0 <= nanoseconds < _SECOND):
        raise ValueError("must be a moment of the years 1 to 9999")
    if not nanoseconds and 0 <= seconds < 1 << 32:
        return Ext(_TIMESTAMP, seconds.to_bytes(4))
    if 0 <= seconds < 1 << 34:
        return Ext(_TIMESTAMP, (nanoseconds << 34 | seconds).to_bytes(8))
    return Ext(_TIMESTAMP, nanoseconds.to_bytes(4) + seconds.to_bytes(8, signed=True))


def _write_int32(value: int) -> int:
    if not _SMALLEST <= value <= _LARGEST:
        raise ValueError(_INT32)
    return value


def _write_optional_int32(value: int | None) -> int | None:
    return None if value is None else _write_int32(value)


def _write_uint64(value: int) -> int:
    if not 0 <= value <= _LARGEST_TRACING_ID:
        raise ValueError("must be a whole number of 64 bits, and not negative")
    return value


def _write_texts(values: Sequence[str]) -> Sequence[str]:
    if isinstance(values, str):
        raise ValueError("must be a list of texts, and is one text")  # noqa: TRY004  as all others
    return values


def _write_same[V](value: V) -> V:
    return value


def _write_target(value: str | None) -> str:
    return value or ""


def _write_flow(kind: type[IntEnum]) -> Callable[[int], Raw]:
    """Return what writes a number in the form of five bytes, whatever it is."""
    return lambda value: Raw(b"\xd2" + kind(value).to_bytes(4))


Text = Annotated[str, Item(_text)]
OptionalText = Annotated[str | None, Item(_optional_text, nil=True)]
LooseText = Annotated[str, Item(_read_loose_text, nil=True)]
"""A text, for which nil is read as an empty one."""
Target = Annotated[str | None, Item(_optional_text, _write_target, nil=True)]
Secret = Annotated[str, Item(_text, secret=True)]
OptionalSecret = Annotated[str | None, Item(_optional_text, nil=True, secret=True)]
"""A token, a key, a query that may hold one: whoever has it can use it."""
Int = Annotated[int, Item(read_int, _write_int32)]
OptionalInt = Annotated[int | None, Item(_optional_int32, _write_optional_int32, nil=True)]
Switch = Annotated[bool, Item(_switch)]
Binary = Annotated[bytes, Item(_read_binary, secret=True)]
OptionalBinary = Annotated[bytes | None, Item(_read_binary, nil=True, secret=True)]
Texts = Annotated[Sequence[str], Item(_read_texts, _write_texts)]
Rest = Annotated[Sequence[str | None], Item(_read_rest, is_rest=True)]
"""Texts in the message's own array, where others have one item."""
Claims = Annotated[Pairs[str], Item(_read_claims, map_of, secret=True)]
"""Type and value of each; a type may come again."""
Headers = Annotated[Pairs[Sequence[str]], Item(_read_headers, map_of, secret=True)]
Payloads = Annotated[Pairs[bytes], Item(_read_payloads, map_of, secret=True)]
"""Name of each hub protocol, and a message as it writes it, framing included."""
Time = Annotated[Timestamp, Item(_read_time, _write_time)]
FlowTarget = Annotated[
    FlowConnection, Item(Decoder(FlowConnection).decode, _write_flow(FlowConnection))
]
FlowVerb = Annotated[FlowOperation, Item(Decoder(FlowOperation).decode, _write_flow(FlowOperation))]

TracingId = Annotated[int | None, Extension(1, _uint64, _write_uint64)]
Ttl = Annotated[int | None, Extension(2, read_int, _write_int32)]
"""Seconds."""
Protocol = Annotated[str | None, Extension(3, _optional_text, _write_same)]
DoubleProtocol = Annotated[
    str | None,
    Item(_optional_text, nil=True),
    Extension(3, _optional_text, _write_same),
]
"""The name of a hub protocol as an item, and once more as an extension, which counts."""
Filter = Annotated[str | None, Extension(4, _optional_text, _write_same)]
DataType = Annotated[int, Extension(5, read_int, _write_int32)]
IsPartial = Annotated[bool, Extension(6, _switch, _write_same)]

KNOWN_EXTENSIONS: Final = range(1, 7)
"""Keys of extensions. A reader takes one that the message does not have for a key alone, and its
value for the next key."""
