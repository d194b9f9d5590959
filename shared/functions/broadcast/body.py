"""Reads one item or a list of items out of the body of a request."""

import json
from http import HTTPStatus
from typing import Final, NoReturn

from ...rest.exchange import MAX_MESSAGE_LENGTH
from ...settings.hubs import Hubs
from ..problems import FieldError, ProblemError
from .items import Item
from .validation import InvalidFieldError, validate

__all__ = ["MAX_ITEMS", "read_items"]

MAX_ITEMS: Final = 1000
"""Most items of one request."""


def read_items[T: Item](body: bytes, item: type[T], hubs: Hubs) -> list[T]:
    """Read one item or a list of them.

    Args:
        body: Body of the request.
        item: What an item is to be.
        hubs: Which hubs there are.

    Raises:
        ProblemError: 413 for a body over 1 MB, 400 for anything else that is wrong, naming every
            item's first field at fault.
    """
    if len(body) > MAX_MESSAGE_LENGTH:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The body is {len(body)} bytes long; {MAX_MESSAGE_LENGTH} are accepted.",
        )
    parsed = _parse_json(body)
    listed = isinstance(parsed, list)
    values: list[object] = parsed if isinstance(parsed, list) else [parsed]
    if not 1 <= len(values) <= MAX_ITEMS:
        raise _refusal(FieldError(pointer="#", detail=f"must hold 1 to {MAX_ITEMS} {item.noun}s"))
    items: list[T] = []
    errors: list[FieldError] = []
    for index, value in enumerate(values):
        try:
            items.append(_item(value, item, hubs))
        except InvalidFieldError as error:
            prefix = f"#/{index}" if listed else "#"
            errors.append(FieldError(pointer=prefix + error.field, detail=error.detail))
    if errors:
        raise _refusal(*errors)
    return items


def _item[T: Item](value: object, item: type[T], hubs: Hubs) -> T:
    if not isinstance(value, dict):
        raise InvalidFieldError("", f"must be a {item.noun}: an object")
    return validate(value, item, hubs)


def _parse_json(body: bytes) -> object:
    # Not msgspec's parser: it says neither line nor column of a fault, and takes what the service
    # may not (a number beyond every float, half a surrogate pair) for faults of the whole body.
    try:
        return json.loads(body, parse_constant=_no_number)
    except UnicodeDecodeError:
        detail = "is not UTF-8"
    except json.JSONDecodeError as error:
        detail = f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
    except ValueError as error:
        detail = f"is not JSON: {error}"
    except RecursionError:
        detail = "is nested too deeply"
    raise _refusal(FieldError(pointer="#", detail=detail))


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _refusal(*errors: FieldError) -> ProblemError:
    return ProblemError(HTTPStatus.BAD_REQUEST, "The request cannot be read.", errors=errors)
