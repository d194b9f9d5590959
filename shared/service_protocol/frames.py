"""Messages in a stream of bytes: each behind its length, whatever WebSocket messages carry them.

The length is a VarInt of five bytes at most: seven bits in a byte, the lowest first.
"""

from collections.abc import Iterator
from typing import Final

from ..errors import UnexpectedResponseError

__all__ = ["Frames"]

_MORE: Final = 0x80
_LONGEST_PREFIX: Final = 5
_LONGEST: Final = (1 << 31) - 1


class Frames:
    """What has come, up to the first message that is not whole yet."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._enough = 1

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take what has come, and yield the bodies of the messages that are whole.

        Raises:
            UnexpectedResponseError: A length is longer than the protocol allows, so that nobody
                knows where the next message begins.
        """
        self._buffer += data
        # A long message comes in many pieces, and is looked at when it is there.
        if len(self._buffer) < self._enough:
            return
        at = 0
        buffer = bytes(self._buffer)
        try:
            while at < len(buffer):
                start, length = _prefix(buffer, at)
                self._enough = start + length - at
                if len(buffer) - at < self._enough:
                    return
                at = start + length
                yield buffer[start:at]
            self._enough = 1
        finally:
            del self._buffer[:at]


def _prefix(buffer: bytes, at: int) -> tuple[int, int]:
    """Return where a body begins, and its length; a prefix that is not whole asks for one more."""
    length = 0
    for index, byte in enumerate(buffer[at : at + _LONGEST_PREFIX]):
        length |= (byte & ~_MORE) << 7 * index
        if byte < _MORE:
            if length > _LONGEST:
                break
            return at + index + 1, length
    else:
        if len(buffer) - at < _LONGEST_PREFIX:
            return len(buffer), 1
    raise UnexpectedResponseError("A message of the service protocol is longer than 2 GB")
