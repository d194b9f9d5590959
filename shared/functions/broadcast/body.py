"""Reads one item or a list of items out of the body of a request."""

from http import HTTPStatus
from typing import Final

from ...bodies.content import MAX_MESSAGE_LENGTH
from ...settings.hubs import Hubs
from ..json_body import read_json, repeated_member, unreadable
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
        hubs: Which hubs there are. Without a default one each item has to name its own.

    Raises:
        ProblemError: 413 for a body over 1 MB, 400 for anything else that is wrong, naming every
            item's first field at fault.
    """
    if len(body) > MAX_MESSAGE_LENGTH:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The body is {len(body)} bytes long; {MAX_MESSAGE_LENGTH} are accepted.",
        )
    parsed, repeats = read_json(body)
    listed = isinstance(parsed, list)
    values: list[object] = parsed if isinstance(parsed, list) else [parsed]
    if not 1 <= len(values) <= MAX_ITEMS:
        raise unreadable(FieldError(pointer="#", detail=f"must hold 1 to {MAX_ITEMS} {item.noun}s"))
    items: list[T] = []
    errors: list[FieldError] = []
    for index, value in enumerate(values):
        try:
            if repeats:
                _check_members(value)
            items.append(_item(value, item, hubs))
        except InvalidFieldError as error:
            prefix = f"#/{index}" if listed else "#"
            errors.append(FieldError(pointer=prefix + error.field, detail=error.detail))
    if errors:
        raise unreadable(*errors)
    return items


def _check_members(value: object) -> None:
    # Those of arguments too: which of two values the clients get is not this app's to choose.
    pointer = repeated_member(value)
    if pointer is not None:
        raise InvalidFieldError(pointer, "comes twice")


def _item[T: Item](value: object, item: type[T], hubs: Hubs) -> T:
    if not isinstance(value, dict):
        raise InvalidFieldError("", f"must be a {item.noun}: an object")
    read = validate(value, item, hubs)
    if not (read.hub or hubs.default):
        raise InvalidFieldError("/hub", "is missing, and this app has no default hub")
    return read
