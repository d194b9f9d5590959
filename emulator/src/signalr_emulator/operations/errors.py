"""How the data plane refuses: the service's ErrorDetail, and the challenge of a 401.

Source: swagger of the REST data plane, 2024-12-01 (ErrorDetail); RFC 6750, section 3.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import hdrs, web

from ..errors import (
    AuthenticationError,
    MethodNotAllowedError,
    NotExistedError,
    RequestError,
)
from .table import PREFIX

__all__ = ["error_details", "error_response", "no_connection", "unauthorized"]

_PREFIX = f"{PREFIX}/"


def error_response(error: RequestError) -> web.Response:
    """Answer a call that is refused."""
    detail = {"code": error.code, "message": error.message}
    if error.target is not None:
        detail["target"] = error.target
    return web.json_response(
        detail, status=HTTPStatus(error.status), headers={"x-ms-error-code": error.code}
    )


def no_connection() -> NotExistedError:
    """Say that the connection is not there that a call would do something to."""
    return NotExistedError("There is no such connection.", code="Error.Connection.NotExisted")


def unauthorized(error: AuthenticationError) -> web.Response:
    """Answer a request whose token is missing or not valid."""
    challenge = f'Bearer error="invalid_token", error_description="{error}"'
    return web.json_response(
        {"code": "Unauthorized", "message": str(error)},
        status=HTTPStatus.UNAUTHORIZED,
        headers={hdrs.WWW_AUTHENTICATE: challenge},
    )


@web.middleware
async def error_details(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer with an ErrorDetail where a path or its method does not exist."""
    try:
        return await handler(request)
    except web.HTTPNotFound:
        if not request.path.startswith(_PREFIX):
            raise
        return error_response(NotExistedError("There is no such path.", code="NotFound"))
    except web.HTTPMethodNotAllowed as error:
        if not request.path.startswith(_PREFIX):
            raise
        response = error_response(MethodNotAllowedError("The path does not have this method."))
        response.headers[hdrs.ALLOW] = ", ".join(sorted(error.allowed_methods))
        return response
