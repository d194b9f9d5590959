"""The body of a request as JSON, of which nothing is lost silently.

Python's reader keeps the last of two members with one name, as most do (RFC 8259, section 4, leaves
it open), so a caller would not learn that the first one counts for nothing.
"""

import json
from http import HTTPStatus
from typing import Final, NamedTuple, NoReturn

from .problems import FieldError, ProblemError, pointer_step

__all__ = ["JsonBody", "read_json", "repeated_member", "unreadable"]

_LONGEST_POINTER: Final = 80
"""Characters of a field's pointer in the sentence about a body."""


class JsonBody(NamedTuple):
    """What a body holds.

    Args:
        value: The value.
        repeats: Whether an object somewhere in it has a member twice.
    """

    value: object
    repeats: bool


class _Place(NamedTuple):
    around: "_Place | None"
    step: str


class _Repeating(dict[str, object]):
    """An object that has a member twice."""

    __slots__ = ("member",)

    def __init__(self, members: list[tuple[str, object]]) -> None:
        super().__init__()
        for name, value in members:
            if name in self:
                self.member = name
            self[name] = value


def read_json(body: bytes) -> JsonBody:
    """Read the body of a request.

    Raises:
        ProblemError: 400, it is not JSON.
    """
    repeating: list[_Repeating] = []

    def read_object(members: list[tuple[str, object]]) -> dict[str, object]:
        value = dict(members)
        if len(value) == len(members):
            return value
        repeating.append(_Repeating(members))
        return repeating[-1]

    # Not msgspec's parser: it says neither line nor column of a fault, and takes what the service
    # may not (a number beyond every float, half a surrogate pair) for faults of the whole body.
    try:
        value = json.loads(body, object_pairs_hook=read_object, parse_constant=_no_number)
    except UnicodeDecodeError:
        detail = "is not UTF-8"
    except json.JSONDecodeError as error:
        detail = f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
    except ValueError:
        # Its own text speaks of this app's Python, which has a bound for the digits of a number.
        detail = "has a number with too many digits"
    except RecursionError:
        detail = "is nested too deeply"
    else:
        return JsonBody(value, bool(repeating))
    raise unreadable(FieldError(pointer="#", detail=detail))


def repeated_member(value: object) -> str | None:
    """Return a member that comes twice, as a JSON pointer that begins at the value."""
    # Not by recursion, since the value may be nested deeper than calls can be. A place is known by
    # the one around it: a pointer for each would be long where a value is wide and deep.
    waiting: list[tuple[_Place | None, object]] = [(None, value)]
    while waiting:
        place, each = waiting.pop()
        if isinstance(each, _Repeating):
            return _pointer(_Place(place, each.member))
        if isinstance(each, dict):
            waiting += [(_Place(place, name), inner) for name, inner in reversed(each.items())]
        elif isinstance(each, list):
            places = [(_Place(place, str(index)), inner) for index, inner in enumerate(each)]
            waiting += reversed(places)
    return None


def _pointer(place: _Place | None) -> str:
    steps: list[str] = []
    while place is not None:
        steps.append(f"/{pointer_step(place.step)}")
        place = place.around
    return "".join(reversed(steps))


def unreadable(*errors: FieldError) -> ProblemError:
    """Return the 400 for a body that cannot be read, with the fields at fault.

    Args:
        errors: The fields. Who reads the detail alone is told of the first.
    """
    first = errors[0]
    # Cut, since the caller has chosen the name.
    said = f"{first['pointer'][:_LONGEST_POINTER]} {first['detail']}"
    end = "" if said.endswith("?") else "."
    detail = f"The request cannot be read: {said}{end}"
    return ProblemError(HTTPStatus.BAD_REQUEST, detail, errors=errors)


def _no_number(name: str) -> NoReturn:
    raise unreadable(FieldError(pointer="#", detail=f"is not JSON: {name} is no JSON number"))
