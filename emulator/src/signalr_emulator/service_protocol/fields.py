"""The kinds of fields that messages have: how each is read, and how it is written.

What is read is as tolerant as Microsoft.Azure.SignalR.Protocols 1.34.0; what is written is what
that package reads. A map may have a key twice, and so is a tuple of pairs here.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import Annotated, Any, Final, NamedTuple

import msgpack  # type: ignore[import-untyped]  # the package has no annotations

__all__ = [
    "FOR_EVER", "KNOWN_EXTENSIONS", "Binary", "Claims", "DataType", "DoubleProtocol",
    "Extension", "Filter", "FlowConnection", "FlowOperation", "FlowTarget", "FlowVerb", "Headers",
    "Int", "IsPartial", "Item", "LooseText", "OptionalBinary", "OptionalInt", "OptionalSecret",
    "OptionalText", "Pairs", "Payloads", "Protocol", "Secret", "Switch", "Target", "Text", "Texts",
    "Time", "Timestamp", "TracingId", "Ttl", "int32", "packed_claims", "packed_int",
    "packed_length", "packed_map_length", "packed_optional_text", "packed_text",
    "read_optional_text",
]  # fmt: skip

type Pairs[V] = Sequence[tuple[str, V]]

_INT32: Final = range(-(1 << 31), 1 << 31)
_UINT64: Final = range(1 << 64)
_FIRST_SECOND: Final = -62_135_596_800
"""`DateTimeOffset.MinValue`."""

_NANOSECONDS: Final = range(1_000_000_000)

_FIXED_INT32: Final = b"\xd2"
_BIN_8, _BIN_16, _BIN_32 = b"\xc4", b"\xc5", b"\xc6"

_packer = msgpack.Packer()
_pack: Callable[[object], bytes] = _packer.pack
packed_length: Callable[[int], bytes] = _packer.pack_array_header
packed_map_length: Callable[[int], bytes] = _packer.pack_map_header


class Item(NamedTuple):
    """A field that is an item of the message's array.

    Args:
        read: Gives its value of what MessagePack has there; raises `ValueError` for what is none.
        write: Gives the bytes of its value; raises `ValueError` for one that no peer would read.
        is_secret: Whether the value must not be shown.
    """

    read: Callable[[Any], Any]
    write: Callable[[Any], bytes]
    is_secret: bool = False


class Extension(NamedTuple):
    """A field in the message's map of extensions; `read` and `write` as of `Item`.

    Args:
        key: Its key there.
    """

    key: int
    read: Callable[[Any], Any]
    write: Callable[[Any], bytes]


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


def int32(value: object) -> int:
    """Return a whole number of 32 bits; raises `ValueError` for all else."""
    # A range would be gone through one by one for a member of an enumeration.
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or not _INT32[0] <= value <= _INT32[-1]
    ):
        raise ValueError("must be a whole number of 32 bits")
    return value


def _optional_int32(value: object) -> int | None:
    return None if value is None else int32(value)


def _uint64(value: object) -> int:
    if type(value) is not int or value not in _UINT64:
        raise ValueError("must be a whole number of 64 bits that is not negative")
    return value


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004  as all others
    return value


def _read_text(value: object) -> str:
    if type(value) is not str:
        raise ValueError("must be a text")
    if value.isascii():
        return value
    # What was no UTF-8 has come as lone surrogates; .NET reads U+FFFD there.
    return _utf_8(value).decode(errors="replace")


def _utf_8(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def read_optional_text(value: object) -> str | None:
    """Return a text or nothing; raises `ValueError` for all else."""
    return None if value is None else _read_text(value)


def _read_loose_text(value: object) -> str:
    return "" if value is None else _read_text(value)


def _read_binary(value: object) -> bytes:
    """Read bytes; a text in their place is its bytes."""
    if type(value) is bytes:
        return value
    if value is None:
        return b""
    if type(value) is str:
        return _utf_8(value)
    raise ValueError("must be bytes")


def _list(value: object) -> list[object]:
    if type(value) is not list:
        raise ValueError("must be an array")
    return value


def _pairs(value: object) -> tuple[tuple[object, object], ...]:
    if type(value) is not tuple:
        raise ValueError("must be a map")
    return value


def _read_texts(value: object) -> tuple[str, ...]:
    return tuple(map(_read_text, _list(value)))


def _read_claims(value: object) -> Pairs[str]:
    return tuple((_read_text(kind), _read_text(each)) for kind, each in _pairs(value))


def _read_headers(value: object) -> Pairs[tuple[str, ...]]:
    headers = tuple((_read_text(name), _read_texts(each)) for name, each in _pairs(value))
    if len({name.casefold() for name, _ in headers}) < len(headers):
        raise ValueError("must not have a header twice")
    return headers


def _read_payloads(value: object) -> Pairs[bytes]:
    return tuple((_read_text(name), _read_binary(each)) for name, each in _pairs(value))


def _read_time(value: object) -> Timestamp:
    if not isinstance(value, msgpack.Timestamp):
        raise ValueError("must be a time")  # noqa: TRY004  as all others
    return Timestamp(value.seconds, value.nanoseconds)


def packed_text(value: str) -> bytes:
    """Write a text; raises `ValueError` for all else, and for one with half a character."""
    if type(value) is not str:
        raise ValueError("must be a text")
    return _pack(value)


def packed_optional_text(value: str | None) -> bytes:
    """Write a text or nil; raises as `packed_text`."""
    return _pack(None) if value is None else packed_text(value)


def packed_int(value: int) -> bytes:
    """Write a whole number of 32 bits; raises `ValueError` for all else."""
    return _pack(int32(value))


def _packed_target(value: str | None) -> bytes:
    return packed_text(value or "")


def _packed_binary(value: bytes) -> bytes:
    if type(value) is not bytes:
        raise ValueError("must be bytes")
    # Not by the packer, which would keep a buffer as long as the longest.
    length = len(value)
    if length < 1 << 8:
        return _BIN_8 + length.to_bytes() + value
    if length < 1 << 16:
        return _BIN_16 + length.to_bytes(2) + value
    if length < 1 << 32:
        return _BIN_32 + length.to_bytes(4) + value
    raise ValueError("must be shorter than 4 GB")


def _packed_optional_binary(value: bytes | None) -> bytes:
    return _pack(None) if value is None else _packed_binary(value)


def _packed_texts(values: Sequence[str]) -> bytes:
    if isinstance(values, str):
        raise ValueError("must be several texts, and is one")  # noqa: TRY004  as all others
    return packed_length(len(values)) + b"".join(map(packed_text, values))


def _packed_map[V](pairs: Pairs[V], packed: Callable[[V], bytes]) -> bytes:
    parts: Iterable[bytes] = (packed_text(key) + packed(value) for key, value in pairs)
    return packed_map_length(len(pairs)) + b"".join(parts)


def packed_claims(claims: Pairs[str]) -> bytes:
    """Write claims, a type of which may come again; raises as `packed_text`."""
    return _packed_map(claims, packed_text)


def _packed_headers(headers: Pairs[Sequence[str]]) -> bytes:
    return _packed_map(headers, _packed_texts)


def _packed_payloads(payloads: Pairs[bytes]) -> bytes:
    return _packed_map(payloads, _packed_binary)


def _packed_time(time: Timestamp) -> bytes:
    """Write the shortest form: whole seconds until 2106, a fraction until 2514, and all others."""
    seconds, nanoseconds = time
    if not (_FIRST_SECOND <= seconds <= FOR_EVER.seconds and nanoseconds in _NANOSECONDS):
        raise ValueError("must be a moment of the years 1 to 9999")
    return _pack(msgpack.Timestamp(seconds, nanoseconds))


def _fixed(kind: type[IntEnum]) -> Item:
    """Return a number whose form has five bytes, whatever it is."""
    return Item(
        lambda value: kind(int32(value)), lambda value: _FIXED_INT32 + kind(value).to_bytes(4)
    )


Text = Annotated[str, Item(_read_text, packed_text)]
OptionalText = Annotated[str | None, Item(read_optional_text, packed_optional_text)]
LooseText = Annotated[str, Item(_read_loose_text, packed_optional_text)]
"""A text, for which nil is read as an empty one."""
Target = Annotated[str | None, Item(read_optional_text, _packed_target)]
Secret = Annotated[str, Item(_read_text, packed_text, is_secret=True)]
OptionalSecret = Annotated[
    str | None, Item(read_optional_text, packed_optional_text, is_secret=True)
]
"""A token, a key, a query that may hold one: whoever has it can use it."""
Int = Annotated[int, Item(int32, packed_int)]
OptionalInt = Annotated[
    int | None, Item(_optional_int32, lambda value: _pack(_optional_int32(value)))
]
Switch = Annotated[bool, Item(_switch, lambda value: _pack(_switch(value)))]
Binary = Annotated[bytes, Item(_read_binary, _packed_binary, is_secret=True)]
OptionalBinary = Annotated[
    bytes | None, Item(_read_binary, _packed_optional_binary, is_secret=True)
]
Texts = Annotated[Sequence[str], Item(_read_texts, _packed_texts)]
Claims = Annotated[Pairs[str], Item(_read_claims, packed_claims, is_secret=True)]
"""Type and value of each; a type may come again."""
Headers = Annotated[Pairs[Sequence[str]], Item(_read_headers, _packed_headers, is_secret=True)]
Payloads = Annotated[Pairs[bytes], Item(_read_payloads, _packed_payloads, is_secret=True)]
"""Name of each hub protocol, and a message as it writes it, framing included."""
Time = Annotated[Timestamp, Item(_read_time, _packed_time)]
FlowTarget = Annotated[FlowConnection, _fixed(FlowConnection)]
FlowVerb = Annotated[FlowOperation, _fixed(FlowOperation)]

_protocol: Final = Extension(3, read_optional_text, packed_text)
TracingId = Annotated[int | None, Extension(1, _uint64, lambda value: _pack(_uint64(value)))]
Ttl = Annotated[int | None, Extension(2, int32, packed_int)]
"""Seconds."""
Protocol = Annotated[str | None, _protocol]
DoubleProtocol = Annotated[str | None, Item(read_optional_text, packed_optional_text), _protocol]
"""The name of a hub protocol as an item, and once more as an extension, which counts."""
Filter = Annotated[str | None, Extension(4, read_optional_text, packed_text)]
DataType = Annotated[int, Extension(5, int32, packed_int)]
IsPartial = Annotated[bool, Extension(6, _switch, lambda value: _pack(_switch(value)))]

KNOWN_EXTENSIONS: Final = range(1, 7)
"""Keys of extensions. A reader takes one that the message does not have for a key alone, and its
value for the next key."""
