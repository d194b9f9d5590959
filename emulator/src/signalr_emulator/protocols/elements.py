"""The elements of a MessagePack message, read one after another.

What nobody asks for is not looked at: the arguments of a call may be anything that MessagePack can
write, and more than Python can hold.
"""

from msgspec import Raw

from ..documents.verbatim import JsonText
from ..errors import JsonError, ProtocolError
from .conversion import json_text
from .parts import values
from .values import integer, optional_text

__all__ = ["Elements"]

_INVALID = "A message is not valid MessagePack."
_TRUE = Raw(b"\xc3")


class Elements:
    """The elements of one message in their order.

    Args:
        record: The message without its length.

    Raises:
        ProtocolError: It is no array. Each method raises it for an element that is missing or of
            another type.
    """

    def __init__(self, record: bytes) -> None:
        try:
            self._left, self._elements = values(record)
        except ValueError as error:
            raise ProtocolError(_INVALID) from error

    def require(self, name: str) -> None:
        """Go on to the next element, which has to be there."""
        if not self._left:
            raise ProtocolError(f"A message lacks its {name}.")
        self._left -= 1

    def element(self, name: str) -> Raw:
        """Give the next element as it is written, whatever it is."""
        self.require(name)
        try:
            return next(self._elements)
        except ValueError as error:
            raise ProtocolError(_INVALID) from error

    def result(self) -> JsonText:
        """Give the next element as `conversion.json_value` makes it, of a text all that is UTF-8.

        Raises:
            JsonError: JSON has nothing like it.
        """
        self.require("result")
        try:
            element = next(self._elements)
        except ValueError as error:
            raise JsonError("is not valid MessagePack") from error
        return json_text(element, "replace")

    def integer(self, name: str) -> int:
        """Give the next element, an integer."""
        value = integer(self.element(name))
        if value is None:
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
        element = self.element(name)
        try:
            return optional_text(element)
        except ValueError as error:
            raise ProtocolError(f"The {name} of a message is not a string.") from error

    def flag(self, name: str) -> bool:
        """Give the next element, or False if there is none."""
        return bool(self._left) and self.element(name) == _TRUE
