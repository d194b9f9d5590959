"""One HTTP function of the library, before and after it has a route."""

import re
from typing import NamedTuple

from .problems import Handler

__all__ = ["HttpFunction", "RoutedFunction"]


class HttpFunction(NamedTuple):
    """A handler, and what its binding has to say.

    Args:
        handler: Answers a request.
        needs_key: Whether a caller shows a function key.
        methods: HTTP methods that the Functions host lets through; `None` for all, of which the
            handler answers those that are not its own with 405.
    """

    handler: Handler
    needs_key: bool = False
    methods: tuple[str, ...] | None = None


class RoutedFunction(NamedTuple):
    """A function at one of its routes, of which it may have several.

    Args:
        function: Its name in the library.
        path: The route below the host's route prefix, with bare names in braces.
        prefix: What route and names begin with, or "".
    """

    function: str
    path: str
    prefix: str = ""

    def qualified(self, name: str) -> str:
        """Return a name that tells this route's functions from those with another prefix."""
        return re.sub(r"\W", "_", f"{self.prefix}/{name}") if self.prefix else name
