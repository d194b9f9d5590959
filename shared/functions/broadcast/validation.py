"""Fits JSON values into typed structs, and says in a sentence what does not fit and where.

The structs are the one description of a request: they validate it here, and the API's description
is made from them.
"""

import re
from collections.abc import Callable
from typing import Final, get_args, get_type_hints

import msgspec

from ...errors import InvalidArgumentError, UnknownHubError
from ...settings.hubs import Hubs
from ...settings.names import check_name
from ...spelling import nearest
from ..problems import pointer_step

__all__ = ["Hub", "InvalidFieldError", "Name", "validate"]

_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(.*)`")
_SENTENCES: Final = (
    (re.compile(r"Expected `str` of length >= 1"), "must not be empty"),
    (re.compile(r"Expected `str` of length <= (\d+)"), r"is longer than \1 characters"),
    (re.compile(r"Expected `int` >= (\d+)"), r"must be at least \1"),
    (re.compile(r"Expected `int` <= (\d+)"), r"must be at most \1"),
    (re.compile(r"Expected `str`, got .*"), "must be a string"),
    (re.compile(r"Expected `int`, got .*"), "must be a whole number"),
    (re.compile(r"Expected `array`, got .*"), "must be a list"),
)
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")


class Name(str):
    """Name of a user or a group, or id of a connection, by the service's rules."""

    __slots__ = ()


class Hub(str):
    """Name of a hub of this app, in lower case."""

    __slots__ = ()


class InvalidFieldError(ValueError):
    """One field does not fit.

    Args:
        field: The field, as a JSON pointer that begins at the struct; empty for the struct itself.
        detail: What is wrong with it, as the end of a sentence that begins with the field.
    """

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.detail = detail


def validate[T: msgspec.Struct](
    value: object, struct: type[T], hubs: Hubs, *, strict: bool = True
) -> T:
    """Return a JSON value as a struct.

    Args:
        value: What the caller has sent.
        struct: What it is to be.
        hubs: Which hubs there are.
        strict: Whether a number must not be written as a string, as it is in a query.

    Raises:
        InvalidFieldError: The first field that does not fit.
    """

    def named(wanted: type[object], value: object) -> object:
        return _NAMES[wanted](value, hubs)

    try:
        return msgspec.convert(value, struct, strict=strict, dec_hook=named)
    except msgspec.ValidationError as error:
        raise _invalid_field(error, struct) from None
    except UnicodeEncodeError:
        raise InvalidFieldError("", "contains half of a surrogate pair") from None


def _name(value: object, _: Hubs) -> Name:
    if not isinstance(value, str):
        raise InvalidFieldError("", "must be a string")
    try:
        return Name(check_name("", value))
    except InvalidArgumentError as error:
        raise InvalidFieldError("", error.problem) from None


def _hub(value: object, hubs: Hubs) -> Hub:
    if not isinstance(value, str):
        raise InvalidFieldError("", "must be a string")
    try:
        return Hub(hubs.find(value))
    except UnknownHubError:
        raise InvalidFieldError("", "is not a hub of this app") from None


_NAMES: Final[dict[type[object], Callable[[object, Hubs], object]]] = {Name: _name, Hub: _hub}


def _invalid_field(
    error: msgspec.ValidationError, struct: type[msgspec.Struct]
) -> InvalidFieldError:
    text = str(error)
    # First, since the caller has chosen the name and could write a path into it.
    if unknown := _UNKNOWN.fullmatch(text):
        return InvalidFieldError(f"/{pointer_step(unknown[1])}", _not_a_field(unknown[1], struct))
    # From the right, since a wrong value is part of what is said.
    before, at, path = text.rpartition(" - at `$")
    said = before if at else text
    pointer = "".join(f"/{name or index}" for name, index in _STEP.findall(path)) if at else ""
    if isinstance(error.__cause__, InvalidFieldError):
        return InvalidFieldError(pointer + error.__cause__.field, error.__cause__.detail)
    if missing := _MISSING.fullmatch(said):
        return InvalidFieldError(f"{pointer}/{missing[1]}", "is missing")
    if said.startswith("Invalid enum value"):
        return InvalidFieldError(pointer, f"must be {_choices(struct, pointer)}")
    for pattern, sentence in _SENTENCES:
        if match := pattern.fullmatch(said):
            return InvalidFieldError(pointer, match.expand(sentence))
    return InvalidFieldError(pointer, f"does not fit: {said}")


def _not_a_field(name: str, struct: type[msgspec.Struct]) -> str:
    near = nearest(name, [each.encode_name for each in msgspec.structs.fields(struct)])
    hint = "" if near is None else f"; did you mean {near!r}?"
    return f"is not a field of {struct.__name__}{hint}"


def _choices(struct: type[msgspec.Struct], pointer: str) -> str:
    names = {f"/{each.encode_name}": each.name for each in msgspec.structs.fields(struct)}
    return " or ".join(get_args(get_type_hints(struct)[names[pointer]]))
