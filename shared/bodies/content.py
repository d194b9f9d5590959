"""Bodies of requests: a media type and bytes that are not too many."""

from typing import Final, NamedTuple

from ..errors import InvalidArgumentError

__all__ = ["BINARY", "JSON", "MAX_MESSAGE_LENGTH", "Content", "sized_content"]

JSON: Final = "application/json; charset=utf-8"
BINARY: Final = "application/octet-stream"

MAX_MESSAGE_LENGTH: Final = 1024 * 1024
"""Longest body of a request in bytes (REST API reference)."""


class Content(NamedTuple):
    """The body of a request.

    Args:
        body: The bytes.
        media_type: What they are.
    """

    body: bytes
    media_type: str


def sized_content(argument: str, body: bytes, media_type: str = JSON) -> Content:
    """Return the body of a request.

    Args:
        argument: What fills it, for the error.
        body: The bytes.
        media_type: What they are.

    Raises:
        InvalidArgumentError: It is longer than 1 MB.
    """
    if len(body) > MAX_MESSAGE_LENGTH:
        raise InvalidArgumentError(argument, f"makes a body over {MAX_MESSAGE_LENGTH} bytes")
    return Content(body, media_type)
