"""The elements of a MessagePack message, read one after another.

What nobody asks for is not looked at: the arguments of a call may be anything that MessagePack can
write, and more than Python can hold.
"""

from collections.abc import Callable
from typing import Any

import msgpack  # type: ignore[import-untyped]  # the package has no annotations

from ..documents.json_text import encode
from ..documents.verbatim import JsonText
from ..errors import JsonError, ProtocolError
from .conversion import json_value

__all__ = ["Elements"]

_UNREADABLE = (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException)


class Elements:
    """The elements of one message in their order.

    Args:
        record: The message without its length.

    Raises:
        ProtocolError: It is no array. Each method raises it for an element that is missing or of
            another type.
    """

    def __init__(self, record: bytes) -> None:
        self._reader = msgpack.Unpacker(
            strict_map_key=False, unicode_errors="replace", max_buffer_size=max(len(record), 1)
        )
        self._reader.feed(record)
        self._left = self._read(self._reader.read_array_header)

    def require(self, name: str) -> None:
        """Go on to the next element, which has to be there."""
        if not self._left:
            raise ProtocolError(f"A message lacks its {name}.")
        self._left -= 1

    def skip(self, name: str) -> None:
        """Go past the next element, whatever it is."""
        self.require(name)
        self._read(self._reader.skip)

    def value(self, name: str) -> Any:  # noqa: ANN401 - whatever MessagePack can hold
        """Give the next element."""
        self.require(name)
        return self._read(self._reader.unpack)

    def result(self) -> JsonText:
        """Give the next element as `conversion.json_value` makes it.

        Raises:
            JsonError: JSON has nothing like it.
        """
        self.require("result")
        try:
            return JsonText(encode(json_value(self._reader.unpack())))
        except _UNREADABLE as error:
            raise JsonError("is nothing that JSON can hold") from error

    def integer(self, name: str) -> int:
        """Give the next element, an integer."""
        value = self.value(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise ProtocolError(f"The {name} of a message is not an integer.")
        return value

    def string(self, name: str) -> str:
        """Give the next element, a string."""
        value = self.optional_string(name)
        if value is None:
            raise ProtocolError(f"The {name} of a message is not a string.")
        return value

    def optional_string(self, name: str) -> str | None:
        """Give the next element, a string or nil."""
        value = self.value(name)
        if not isinstance(value, str | None):
            raise ProtocolError(f"The {name} of a message is not a string.")
        return value

    def flag(self, name: str) -> bool:
        """Give the next element, or False if there is none."""
        return bool(self._left) and self.value(name) is True

    def _read(self, read: Callable[[], Any]) -> Any:  # noqa: ANN401 - as `value`
        try:
            return read()
        except _UNREADABLE as error:
            # The exception's own text would quote the input.
            raise ProtocolError("A message is not valid MessagePack.") from error
