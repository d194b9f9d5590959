"""The properties of a JSON object that an `/emulator/…` route is sent, each checked when read."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches

from ..errors import DocumentError
from .json_text import Json
from .problems import pointer

__all__ = ["Fields", "boolean", "integer", "number", "optional_integer", "properties", "text"]

type Fields = Mapping[str, Json]


def properties(document: Json, known: Collection[str]) -> Fields:
    """Give the properties of an object.

    Args:
        document: What was sent.
        known: The names that a property may have.

    Raises:
        DocumentError: It is no object, or has a property of another name.
    """
    if not isinstance(document, dict):
        raise DocumentError("#", "has to be an object")
    for name in document:
        if name not in known:
            raise DocumentError(pointer(name), f"is unknown{_meant(name, known)}")
    return document


def _meant(name: str, known: Collection[str]) -> str:
    """Ask whether a similar name is meant, where there is one."""
    # To compare takes longer the longer a name is, and none of so many letters is a slip.
    if len(name) > 2 * max(map(len, known)):
        return ""
    names = {each.lower(): each for each in known}
    similar = get_close_matches(name.lower(), names, n=1)
    return f"; did you mean {names[similar[0]]!r}?" if similar else ""


def text(fields: Fields, name: str) -> str | None:
    """Give a string, or None where it is left out.

    Raises:
        DocumentError: It is something else.
    """
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise DocumentError(pointer(name), "has to be a string")
    return value


def boolean(fields: Fields, name: str) -> bool:
    """Give true or false.

    Raises:
        DocumentError: It is something else, or left out.
    """
    value = fields.get(name)
    if not isinstance(value, bool):
        raise DocumentError(pointer(name), "has to be true or false")
    return value


def number(fields: Fields, name: str, highest: float, default: float | None = None) -> float:
    """Give a number from 0.

    Args:
        fields: The properties.
        name: Which of them.
        highest: The largest acceptable number.
        default: What stands for one that is left out; None if it has to be there.

    Raises:
        DocumentError: It is something else.
    """
    value = fields.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= highest:
        raise DocumentError(pointer(name), f"has to be a number from 0 to {highest:.0f}")
    return value


def integer(fields: Fields, name: str, lowest: int, highest: int, default: int) -> int:
    """Give an integer.

    Args:
        fields: The properties.
        name: Which of them.
        lowest: The smallest acceptable number.
        highest: The largest acceptable number.
        default: What stands for one that is left out.

    Raises:
        DocumentError: It is something else.
    """
    value = fields.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise DocumentError(pointer(name), f"has to be an integer from {lowest} to {highest}")
    return value


def optional_integer(fields: Fields, name: str, lowest: int, highest: int) -> int | None:
    """Give an integer, or None where it is left out.

    Raises:
        DocumentError: It is something else.
    """
    if fields.get(name) is None:
        return None
    return integer(fields, name, lowest, highest, lowest)
