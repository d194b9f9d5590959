"""MessagePack as its items in turn, where msgspec would make less of it than stands there.

A map of the service protocol may have a key twice, and so is read and written as pairs. msgspec
reads it as the array that it is behind another header.

Source: MessagePack's specification (github.com/msgpack/msgpack), "Formats".
"""

from collections.abc import Iterable
from typing import Final

from msgspec import DecodeError, Raw
from msgspec.msgpack import Decoder, encode

__all__ = ["Pairs", "array_items", "binary", "flat_map", "is_container", "map_of", "pairs"]

type Pairs[V] = tuple[tuple[str, V], ...]

_SHORT_MAP: Final = range(0x80, 0x90)
_SHORT_ARRAY: Final = range(0x90, 0xA0)
_SHORT_TEXT: Final = range(0xA0, 0xC0)
_SHORT_LENGTHS: Final = 0x0F
_SHORT_TEXT_LENGTHS: Final = 0x1F
_LONG_MAPS: Final = {0xDE: 2, 0xDF: 4}
_LONG_ARRAYS: Final = {0xDC: 2, 0xDD: 4}
"""First byte of a container → bytes of the number of its items."""

_SIZED: Final = {
    0xC4: (1, 0), 0xC5: (2, 0), 0xC6: (4, 0), 0xC7: (1, 1), 0xC8: (2, 1), 0xC9: (4, 1),
    0xD9: (1, 0), 0xDA: (2, 0), 0xDB: (4, 0),
}  # fmt: skip
"""First byte of bytes, texts and extensions → bytes of its length, and of what follows besides."""

_FIXED: Final = {
    0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8,
    0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17,
}  # fmt: skip
"""First byte of numbers and small extensions → bytes that follow; none follow all others."""

_LONG_ARRAY: Final = b"\xdd"
_BYTES_OF_TEXT: Final = {0xD9: b"\xc4", 0xDA: b"\xc5", 0xDB: b"\xc6"}

_items = Decoder(list[Raw]).decode


def array_items(body: bytes) -> list[Raw]:
    """Return the items of an array. What stands behind the array does not count.

    Raises:
        ValueError: It is no array, or not a whole one.
        RecursionError: It is nested too deeply.
    """
    try:
        return _items(body)
    except DecodeError:
        end = _end(body)
        if end >= len(body):
            raise
    return _items(body[:end])


def flat_map(item: Raw) -> tuple[int, bytes]:
    """Return how many pairs a map has, and the array of its keys and values in turn.

    Raises:
        ValueError: It is no map.
    """
    data = bytes(item)
    head = data[0]
    if head in _SHORT_MAP:
        count, start = head & _SHORT_LENGTHS, 1
    elif head in _LONG_MAPS:
        start = 1 + _LONG_MAPS[head]
        count = int.from_bytes(data[1:start])
    else:
        raise ValueError("is no map")
    if len(data) < start + 2 * count:
        raise ValueError("is not whole")
    return count, _LONG_ARRAY + (2 * count).to_bytes(4) + data[start:]


def pairs[T](flat: list[T]) -> tuple[tuple[T, T], ...]:
    """Return keys and values in turn as pairs."""
    return tuple(zip(flat[::2], flat[1::2], strict=True))


def map_of[V](given: Iterable[tuple[str, V]]) -> dict[str, V] | Raw:
    """Return what msgspec writes as a map of these pairs, though a key may come again."""
    listed = tuple(given)
    distinct = dict(listed)
    if len(distinct) == len(listed):
        return distinct
    count = len(listed)
    if count <= _SHORT_LENGTHS:
        head = bytes((_SHORT_MAP.start | count,))
    else:
        head = b"\xde" + count.to_bytes(2) if count < 1 << 16 else b"\xdf" + count.to_bytes(4)
    return Raw(head + b"".join(encode(each) for pair in listed for each in pair))


def binary(item: Raw) -> Raw | bytes:
    """Return a text as the bytes that it is behind another header, and all else as it is."""
    data = bytes(item)
    head = data[0]
    if head in _SHORT_TEXT:
        return b"\xc4" + bytes((head & _SHORT_TEXT_LENGTHS,)) + data[1:]
    return _BYTES_OF_TEXT[head] + data[1:] if head in _BYTES_OF_TEXT else item


def is_container(item: Raw) -> bool:
    """Tell whether an item is an array or a map."""
    head = bytes(item)[0]
    return head in _SHORT_MAP or head in _SHORT_ARRAY or head in _LONG_MAPS or head in _LONG_ARRAYS


def _end(data: bytes) -> int:
    """Return where the first value ends, or a place behind all data when it does not."""
    at, left = 0, 1
    while left and at < len(data):
        head = data[at]
        at, left = at + 1, left - 1
        if head in _SHORT_MAP:
            left += 2 * (head & _SHORT_LENGTHS)
        elif head in _SHORT_ARRAY:
            left += head & _SHORT_LENGTHS
        elif head in _SHORT_TEXT:
            at += head & _SHORT_TEXT_LENGTHS
        elif (size := _LONG_MAPS.get(head) or _LONG_ARRAYS.get(head)) is not None:
            left += int.from_bytes(data[at : at + size]) * (2 if head in _LONG_MAPS else 1)
            at += size
        elif head in _SIZED:
            size, more = _SIZED[head]
            at += size + more + int.from_bytes(data[at : at + size])
        else:
            at += _FIXED.get(head, 0)
    return at if not left else len(data) + 1
