"""Maps as pairs, since in the service protocol a key may come again."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Raw
from msgspec.msgpack import encode

from ..protocols.formats import head
from ..protocols.parts import map_values

__all__ = ["Pairs", "map_of", "pairs_of"]

type Pairs[V] = Sequence[tuple[str, V]]

_SHORT_MAP: Final = 0x80
_SHORT: Final = range(1 << 4)
_MAP_16, _MAP_32 = b"\xde", b"\xdf"


def map_of(pairs: Iterable[tuple[str, object]]) -> Raw:
    """Write pairs, of what msgspec can write, as a map."""
    flat = [each for pair in pairs for each in pair]
    count = len(flat) // 2
    if count in _SHORT:
        start = bytes((_SHORT_MAP | count,))
    else:
        start = _MAP_16 + count.to_bytes(2) if count < 1 << 16 else _MAP_32 + count.to_bytes(4)
    # Keys and values in turn are an array behind another head.
    array = encode(flat)
    return Raw(start + array[head(array)[1] :])


def pairs_of(packed: Raw) -> Iterator[tuple[Raw, Raw]]:
    """Give the keys and values of a map; raises `ValueError` if it is none."""
    _, parts = map_values(bytes(packed))
    return zip(parts, parts, strict=True)
