"""MessagePack that goes on as it was written: looked through for its parts, never made into values.

A value would lose what Python has not: parts of a microsecond and years after 9999 in a timestamp,
and whether a number has 4 bytes or 8.
"""

from collections.abc import Iterator

from msgspec import Raw
from msgspec.msgpack import Decoder

from .formats import Kind, end, head

__all__ = ["elements", "first_elements", "members"]

_LONG_ARRAY = b"\xdd"
"""How an array begins whose length stands in four bytes."""

_elements = Decoder(list[Raw]).decode
_text = Decoder(str).decode


def elements(packed: bytes) -> list[Raw]:
    """Give the values of an array, each as it is written.

    Raises:
        ValueError: The bytes are not one array.
    """
    try:
        return _elements(packed)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def first_elements(packed: bytes, at: int, count: int) -> Iterator[Raw]:
    """Give values that stand one after another, with no look at what is behind the last one taken.

    Raises:
        ValueError: The next one is not whole.
    """
    for _ in range(count):
        start, at = at, end(packed, at)
        yield Raw(packed[start:at])


def members(packed: bytes) -> dict[str, Raw]:
    """Give the values of a map whose keys are texts, each as it is written.

    Raises:
        ValueError: The bytes are not one such map.
    """
    kind, start, pairs = head(packed)
    count = 2 * pairs
    if kind is not Kind.MAP or count > len(packed):
        raise ValueError("not a whole map")
    # Keys and values in turn are an array behind another head.
    parts = elements(_LONG_ARRAY + count.to_bytes(4) + packed[start:])
    return dict(zip(map(_text, parts[::2]), parts[1::2], strict=True))
