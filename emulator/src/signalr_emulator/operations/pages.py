"""Pages of a list that may change between two requests for it.

Source: swagger of the REST data plane, 2024-12-01 (`maxpagesize`, `top`, `continuationToken`). A
continuation token holds the last id that was given, so that what comes and goes meanwhile neither
repeats nor hides another entry.
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nsmallest

from ..errors import InvalidRequestError

__all__ = ["MAX_PAGE_SIZE", "Page", "page"]

MAX_PAGE_SIZE = 200
"""The largest page, and the size of one whose size is not asked for."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list.

    Attributes:
        ids: The entries, in their order.
        continuation: Where the next page begins; None after the last page.
        left: How many of the entries that were asked for are still to come; None for all.
    """

    ids: tuple[str, ...]
    continuation: str | None
    left: int | None


def page(ids: Iterable[str], *, size: int, top: int | None, continuation: str | None) -> Page:
    """Cut one page out of a list.

    Args:
        ids: Every entry, in any order.
        size: Entries of a page, at least 1.
        top: Entries of this and all pages to come, at least 1; None for all.
        continuation: From the page before; None for the first.

    Raises:
        InvalidRequestError: The continuation does not come from a page.
    """
    after = "" if continuation is None else _decode(continuation)
    wanted = size if top is None else min(size, top)
    found = nsmallest(wanted + 1, (entry for entry in ids if entry > after))
    chosen = tuple(found[:wanted])
    left = None if top is None else top - len(chosen)
    is_last = len(found) <= wanted or left == 0
    return Page(chosen, None if is_last else _encode(chosen[-1]), left)


def _encode(entry: str) -> str:
    return base64.urlsafe_b64encode(entry.encode()).decode("ascii")


def _decode(continuation: str) -> str:
    try:
        return base64.urlsafe_b64decode(continuation.encode("ascii")).decode()
    except (UnicodeError, binascii.Error) as error:
        raise InvalidRequestError(
            "The continuation token does not come from a page.", target="continuationToken"
        ) from error
