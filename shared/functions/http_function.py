"""One HTTP function of the library, before it has a route."""

from typing import NamedTuple

from .problems import Handler

__all__ = ["HttpFunction"]


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
