"""JSON text that goes on as it was written: looked through for its parts, never made into values.

A value would lose what only the text has: the digits of 12.50 and 1234567890123456.789, which a
double does not hold, names that come twice, and how characters are escaped.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import NewType, cast

import msgspec

from ..errors import JsonError
from .json_text import Json, refuse_constant

__all__ = ["JsonText", "elements", "members", "skim", "verbatim"]

JsonText = NewType("JsonText", bytes)
"""One well-formed value (RFC 8259) in UTF-8, without white space around it."""

# Numbers are looked through like everything else: none is worked out, and none is too large.
_look_through = json.JSONDecoder(
    parse_constant=refuse_constant, parse_float=str, parse_int=str
).raw_decode
_skim = json.JSONDecoder(parse_constant=refuse_constant, parse_int=float).decode
# Ten times as fast, but they refuse the escape of half a surrogate pair, which is JSON, and do not
# say what is wrong: what they refuse is looked through once more.
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_text_of = cast("Callable[[msgspec.Raw], JsonText]", bytes)  # a call of `JsonText` is one more
_SPACE = re.compile(r"[ \t\n\r]*")


def verbatim(text: bytes) -> JsonText:
    """Check one value.

    Raises:
        JsonError: The bytes are not UTF-8, not JSON, or nested too deep.
    """
    return _checked(_value, text)


def members(text: bytes) -> dict[str, JsonText]:
    """Give the values of an object by their names; of a name that comes twice, the last counts.

    Raises:
        JsonError: As `verbatim`, or the text is not an object.
    """
    return _checked(_members, text)


def elements(text: bytes) -> list[JsonText]:
    """Give the values of an array.

    Raises:
        JsonError: As `verbatim`, or the text is not an array.
    """
    return _checked(_elements, text)


def skim(text: bytes) -> Json:
    """Give one value for a look at it, in which every number is a double and may have lost digits.

    Raises:
        JsonError: As `verbatim`.
    """
    value: Json = _checked(_skim, text)
    return value


def _checked[T](read: Callable[[str], T], text: bytes) -> T:
    try:
        return read(text.decode("utf-8"))
    except RecursionError:
        raise JsonError("is nested too deep") from None
    except ValueError as error:
        # The exception's own text would quote the input.
        raise JsonError("is not valid JSON in UTF-8") from error


def _members(text: str) -> dict[str, JsonText]:
    try:
        return {name: _text_of(raw) for name, raw in _OBJECT.decode(text).items()}
    except msgspec.DecodeError:
        return dict(_parts(text, "{", "}", _name))


def _elements(text: str) -> list[JsonText]:
    try:
        return [_text_of(raw) for raw in _ARRAY.decode(text)]
    except msgspec.DecodeError:
        return [value for _, value in _parts(text, "[", "]", _no_name)]


def _value(text: str) -> JsonText:
    start = _after_space(text, 0)
    _, end = _look_through(text, start)
    _check_end(text, end)
    return JsonText(text[start:end].encode())


def _parts(
    text: str, opening: str, closing: str, name: Callable[[str, int], tuple[str, int]]
) -> Iterator[tuple[str, JsonText]]:
    """Give what stands between brackets, each part with its name.

    Raises:
        JsonError: The text is JSON with no such brackets.
        ValueError: It is no JSON.
    """
    at = _after_space(text, 0)
    if text[at : at + 1] != opening:
        _value(text)
        raise JsonError(f"is not {'an object' if opening == '{' else 'an array'}")
    at = _after_space(text, at + 1)
    if text[at : at + 1] == closing:
        _check_end(text, at + 1)
        return
    mark = ","
    while mark == ",":
        called, start = name(text, at)
        _, end = _look_through(text, start)
        yield called, JsonText(text[start:end].encode())
        at = _after_space(text, end)
        mark = text[at : at + 1]
        at = _after_space(text, at + 1)
    if mark != closing:
        raise ValueError(mark)
    _check_end(text, at)


def _name(text: str, at: int) -> tuple[str, int]:
    """Read a member's name, and give where its value begins."""
    name, end = _look_through(text, at)
    colon = _after_space(text, end)
    if text[at] != '"' or text[colon : colon + 1] != ":":
        raise ValueError(name)
    return name, _after_space(text, colon + 1)


def _no_name(_text: str, at: int) -> tuple[str, int]:
    return "", at


def _after_space(text: str, at: int) -> int:
    if text[at : at + 1] > " ":
        # Compact text has no space, and is what programs write.
        return at
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


def _check_end(text: str, at: int) -> None:
    if _after_space(text, at) != len(text):
        raise ValueError(at)
