"""MessagePack that goes on as it was written: looked through for its parts, never made into values.

A value would lose what Python has not: parts of a microsecond and years after 9999 in a timestamp,
and whether a number has 4 bytes or 8.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Raw
from msgspec.msgpack import Decoder

from .formats import Kind, end, head

__all__ = ["elements", "map_values", "members", "values"]

_FEW: Final = 64
"""Values up to which all are taken out at once: each takes as much memory as many bytes."""

_LONG_ARRAY: Final = b"\xdd"
"""How an array begins whose length stands in four bytes."""

_elements = Decoder(list[Raw]).decode
_members = Decoder(dict[str, Raw]).decode


def elements(packed: bytes) -> list[Raw]:
    """Give the values of an array, each as it is written.

    Raises:
        ValueError: The bytes are not one array.
    """
    try:
        return _elements(packed)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def values(packed: bytes) -> tuple[int, Iterator[Raw]]:
    """Give how many values an array claims to have, and what gives them one after another.

    What stands behind the last one that is taken does not count, whatever it is.

    Raises:
        ValueError: It is no array, or surely not whole. The iterator raises it for a value that is
            not whole.
    """
    kind, start, count = head(packed)
    if kind is not Kind.ARRAY:
        raise ValueError("must be an array")
    if count > len(packed):
        raise ValueError("must be whole")
    return count, _in_turn(packed, start, count)


def map_values(packed: bytes) -> tuple[int, Iterator[Raw]]:
    """Give how many pairs a map claims to have, and what gives their keys and values in turn.

    Raises:
        ValueError: It is no map, or surely not whole. The iterator raises it as that of `values`.
    """
    kind, start, pairs = head(packed)
    count = 2 * pairs
    if kind is not Kind.MAP:
        raise ValueError("must be a map")
    if count > len(packed):
        raise ValueError("must be whole")
    # That is an array behind another head.
    array = _LONG_ARRAY + count.to_bytes(4)
    return pairs, _in_turn(array + packed[start:], len(array), count)


def _in_turn(packed: bytes, at: int, count: int) -> Iterator[Raw]:
    if count > _FEW:
        return _one_by_one(packed, at, count)
    try:
        return iter(_elements(packed))
    except (ValueError, RecursionError):
        # Something is wrong with it, or it is more than can be looked through.
        return _one_by_one(packed, at, count)


def _one_by_one(packed: bytes, at: int, count: int) -> Iterator[Raw]:
    for _ in range(count):
        start, at = at, end(packed, at)
        yield Raw(packed[start:at])


def members(packed: bytes) -> dict[str, Raw]:
    """Give the values of a map whose keys are texts, each as it is written.

    Raises:
        ValueError: The bytes are not one such map.
    """
    try:
        return _members(packed)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
