"""MessagePack that goes on as it was written: looked through for its parts, never made into values.

A value would lose what Python has not: parts of a microsecond and years after 9999 in a timestamp,
and whether a number has 4 bytes or 8.
"""

from collections.abc import Iterator
from typing import Any

import msgpack  # type: ignore[import-untyped]  # the package has no annotations

__all__ = ["elements", "is_array", "members"]

_ARRAYS = {bytes((first,)) for first in (*range(0x90, 0xA0), 0xDC, 0xDD)}
"""How arrays begin: with their length in the same byte, or in the next 2 or 4."""


def elements(packed: bytes) -> list[bytes]:
    """Give the values of an array, each as it is written.

    Raises:
        ValueError: The bytes are not one array.
    """
    unpacker = _unpacker(packed)
    try:
        return list(_values(packed, unpacker, unpacker.read_array_header()))
    except (msgpack.UnpackException, RecursionError) as error:
        raise ValueError("incomplete, or nested too deep") from error


def is_array(packed: bytes) -> bool:
    """Tell whether a value is an array, by its first byte."""
    return packed[:1] in _ARRAYS


def members(packed: bytes) -> dict[str, bytes]:
    """Give the values of a map whose keys are texts, each as it is written.

    Raises:
        ValueError: The bytes are not one such map.
    """
    unpacker = _unpacker(packed)
    try:
        parts = list(_values(packed, unpacker, 2 * unpacker.read_map_header()))
        names = [msgpack.unpackb(name) for name in parts[::2]]
    except (msgpack.UnpackException, RecursionError) as error:
        raise ValueError("incomplete, or nested too deep") from error
    if not all(isinstance(name, str) for name in names):
        raise ValueError("a key is no text")
    return dict(zip(names, parts[1::2], strict=True))


def _unpacker(packed: bytes) -> Any:  # noqa: ANN401 - the package has no annotations
    # By default it takes a megabyte of memory for what it is fed.
    unpacker = msgpack.Unpacker(max_buffer_size=max(len(packed), 1))
    unpacker.feed(packed)
    return unpacker


def _values(packed: bytes, unpacker: Any, count: int) -> Iterator[bytes]:  # noqa: ANN401 - as above
    end = unpacker.tell()
    for _ in range(count):
        start = end
        unpacker.skip()
        end = unpacker.tell()
        yield packed[start:end]
    if end != len(packed):
        raise ValueError("something follows")
