"""Follows a list of the service from page to page, to its end. Pure.

The last page is the one without a `nextLink` (Azure REST API guidelines, "Collections"). A page
without items is no end: services give such pages and go on after them, and clients that stopped
there, or hung, were mended (Azure/azure-libraries-for-net#996, Azure/autorest.go#433).
"""

from http import HTTPStatus
from typing import Final

from ..errors import UnexpectedResponseError

__all__ = ["Paging"]

_MOST_EMPTY: Final = 100
"""Most pages in a row without an item: a hundred requests for nothing."""


class Paging:
    """Where the next page of a list is, and where the pages before it were."""

    def __init__(self) -> None:
        self.next_link: str | None = ""
        """Address of the next page: empty for the first, `None` after the last."""
        self._followed: set[str] = set()
        self._empty = 0

    def follow(self, next_link: str | None, *, items: int) -> None:
        """Take note of a page.

        Args:
            next_link: Where it says that the next one is, or `None` if it is the last.
            items: How many items it has.

        Raises:
            UnexpectedResponseError: The list leads back to a page that it had already, or goes on
                and on without an item.
        """
        self.next_link = next_link
        if next_link is None:
            return
        if next_link in self._followed:
            raise _endless("a next link leads back to a page before it")
        self._followed.add(next_link)
        self._empty = 0 if items else self._empty + 1
        if self._empty > _MOST_EMPTY:
            raise _endless(f"more than {_MOST_EMPTY} pages in a row are empty")


def _endless(why: str) -> UnexpectedResponseError:
    return UnexpectedResponseError(f"The service's list has no end: {why}", status=HTTPStatus.OK)
