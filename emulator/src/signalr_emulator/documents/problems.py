"""What is wrong with a JSON document, and the answer of an `/emulator/…` route that refuses one.

Source: RFC 9457 (the body), RFC 6901 (pointers to what is wrong, as URI fragments).
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from http import HTTPStatus

from aiohttp import web

from ..errors import DocumentError, JsonError

__all__ = ["FieldError", "checked", "pointer", "problem"]

type Handler = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field of a JSON document.

    Attributes:
        pointer: JSON pointer (RFC 6901) in the form of a URI fragment.
        detail: What is wrong.
    """

    pointer: str
    detail: str


def pointer(*steps: object) -> str:
    """Give the JSON pointer to what lies behind some names and indexes."""
    return "#" + "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def problem(status: HTTPStatus, detail: str, *errors: FieldError) -> web.Response:
    """Answer with problem details.

    Args:
        status: HTTP status of the answer.
        detail: What is wrong.
        errors: The fields of the request's body that are wrong.
    """
    return web.json_response(
        {
            "type": "about:blank",
            "title": status.phrase,
            "status": int(status),
            "detail": detail,
            "errors": [asdict(error) for error in errors],
        },
        status=status,
        content_type="application/problem+json",
    )


def checked(handler: Handler) -> Handler:
    """Answer with 400 where a handler finds something wrong with the request's body."""

    async def handle(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except JsonError as error:
            wrong = FieldError("#", str(error))
            return problem(HTTPStatus.BAD_REQUEST, f"The body {error}.", wrong)
        except DocumentError as error:
            wrong = FieldError(error.pointer, error.detail)
            return problem(HTTPStatus.BAD_REQUEST, str(error), wrong)

    return handle
