"""How the values of MessagePack begin, and where they end.

This is for what msgspec does not tell: it reads all bytes as one value, and as Python has it.

Source: MessagePack's specification (github.com/msgpack/msgpack), "Formats".
"""

from enum import Enum, auto
from typing import Final

from msgspec import Raw

__all__ = ["Kind", "end", "head", "kind_of", "length_of"]


class Kind(Enum):
    """What a value is; a scalar is nil, a boolean or a number."""

    SCALAR = auto()
    TEXT = auto()
    BINARY = auto()
    EXTENSION = auto()
    ARRAY = auto()
    MAP = auto()


_CONTAINERS: Final = {Kind.ARRAY: 1, Kind.MAP: 2}
"""What holds values, and how many for each that it counts."""

_FORMATS: Final = {
    **dict.fromkeys((*range(0x80), 0xC0, 0xC2, 0xC3, *range(0xE0, 0x100)), (Kind.SCALAR, 0, 0)),
    **{first: (Kind.SCALAR, 0, 1 << first - 0xCC) for first in range(0xCC, 0xD0)},
    **{first: (Kind.SCALAR, 0, 1 << first - 0xD0) for first in range(0xD0, 0xD4)},
    **{first: (Kind.SCALAR, 0, length) for first, length in ((0xCA, 4), (0xCB, 8))},
    **{0x80 + length: (Kind.MAP, 0, length) for length in range(16)},
    **{0x90 + length: (Kind.ARRAY, 0, length) for length in range(16)},
    **{0xA0 + length: (Kind.TEXT, 0, length) for length in range(32)},
    **{0xC4 + power: (Kind.BINARY, 1 << power, 0) for power in range(3)},
    **{0xC7 + power: (Kind.EXTENSION, 1 << power, 1) for power in range(3)},
    **{0xD4 + power: (Kind.EXTENSION, 0, 1 + (1 << power)) for power in range(5)},
    **{0xD9 + power: (Kind.TEXT, 1 << power, 0) for power in range(3)},
    **{0xDC + power: (Kind.ARRAY, 2 << power, 0) for power in range(2)},
    **{0xDE + power: (Kind.MAP, 2 << power, 0) for power in range(2)},
}
"""First byte → kind, bytes of the length behind it, and what is added to this length.

Of an extension the byte with its type is the first that it holds.
"""


def head(packed: bytes | memoryview, at: int = 0) -> tuple[Kind, int, int]:
    """Give what a value is, where that begins which it holds, and how much that is.

    The length is in values for an array, in pairs for a map, else in bytes, and is what is
    claimed: so much need not be there.

    Raises:
        ValueError: No value begins here.
    """
    try:
        kind, width, length = _FORMATS[packed[at]]
    except IndexError:
        raise ValueError("must be whole") from None
    except KeyError:
        raise ValueError("must be a value") from None
    start = at + 1 + width
    if not width:
        return kind, start, length
    if start > len(packed):
        raise ValueError("must be whole")
    return kind, start, length + int.from_bytes(packed[at + 1 : start])


def kind_of(packed: Raw) -> Kind:
    """Tell what a value is."""
    return head(memoryview(packed))[0]


def length_of(packed: Raw) -> int:
    """Tell how long a value is, in the units of `head`."""
    return head(memoryview(packed))[2]


def end(packed: bytes, at: int = 0) -> int:
    """Give where a value ends, however deep it is nested, without a look at what it holds.

    Raises:
        ValueError: It is not whole.
    """
    left = 1
    while left:
        kind, at, length = head(packed, at)
        left -= 1
        if kind in _CONTAINERS:
            left += length * _CONTAINERS[kind]
        else:
            at += length
    if at > len(packed):
        raise ValueError("must be whole")
    return at
