"""Answers to requests that cannot be served: RFC 9457 problem bodies.

One place turns errors into statuses, so that a caller never sees internals and every function
answers alike.
"""

import functools
import json
import logging
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypedDict

import azure.functions as func

from ..errors import (
    AuthenticationError,
    ConnectionNotFoundError,
    ConnectionUserMismatchError,
    EndpointsError,
    InvalidArgumentError,
    PermissionDeniedError,
    ServiceError,
    ServiceUnavailableError,
    SignalRError,
    TokenTooLargeError,
    UnknownHubError,
)
from ..telemetry import log_fields

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers
else:
    # Versions of azure-functions have the class from different places.
    Headers = type(func.HttpResponse().headers)

__all__ = [
    "FieldError",
    "ProblemError",
    "http_function",
    "json_response",
    "pointer_step",
    "problem_for",
]

_logger = logging.getLogger(__name__)

_UNAVAILABLE: Final = (ServiceUnavailableError, AuthenticationError, PermissionDeniedError)
_TOLD: Final = (
    (UnknownHubError, HTTPStatus.NOT_FOUND, "This app serves no such hub."),
    (ConnectionNotFoundError, HTTPStatus.NOT_FOUND, "There is no such connection."),
    (ConnectionUserMismatchError, HTTPStatus.FORBIDDEN, "The connection belongs to another user."),
)
_DEFAULT_RETRY_AFTER: Final = 5.0

_JSON: Final = "application/json"
# With the content type among them the worker does not work out one of its own.
_JSON_HEADERS: Final = (("Content-Type", _JSON), ("Cache-Control", "no-store"))

type Handler = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]


class FieldError(TypedDict):
    """What is wrong with one field of a request.

    Args:
        pointer: The field, as a JSON pointer in fragment form (RFC 6901, section 6).
        detail: What is wrong with it.
    """

    pointer: str
    detail: str


class ProblemError(Exception):
    """A request that is answered with a problem body.

    Args:
        status: Status of the answer.
        detail: What is wrong, for the caller to read.
        errors: The fields at fault.
        headers: More headers of the answer.
        extensions: More members of the body (RFC 9457, section 3.2).
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = HTTPStatus(status)
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}
        self.extensions = extensions or {}

    def response(self) -> func.HttpResponse:
        """Return the answer."""
        body: dict[str, object] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = list(self.errors)
        return func.HttpResponse(
            json.dumps(body | dict(self.extensions)),
            status_code=self.status.value,
            headers={"Cache-Control": "no-store", **self.headers},
            mimetype="application/problem+json",
        )


def pointer_step(name: str) -> str:
    """Write a member's name as a step of a JSON pointer (RFC 6901, section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


def json_response(body: str | bytes, status: int = 200) -> func.HttpResponse:
    """Return an answer that no cache keeps.

    Args:
        body: JSON text, or the same in UTF-8.
        status: Status of the answer.
    """
    return _JsonResponse(body.encode() if isinstance(body, str) else body, int(status))


class _JsonHeaders(Headers):
    """The headers of one answer, which may be changed as those of any other.

    The usual way to them checks again for each answer what is the same for all, and the worker asks
    for `Set-Cookie`, which is not there: the usual class finds that out by an exception. Either
    takes as long as signing a token.
    """

    def __init__(self) -> None:
        self._list = list(_JSON_HEADERS)

    def __contains__(self, key: str) -> bool:
        wanted = key.lower()
        for name, _ in self._list:  # noqa: SIM110  `any` takes twice as long
            if name.lower() == wanted:
                return True
        return False

    def items(self, lower: bool = False) -> Iterable[tuple[str, str]]:
        return super().items(lower) if lower else iter(self._list)


class _JsonResponse(func.HttpResponse):
    """An answer in JSON, made in a fifth of the time of the usual one, since nothing is checked."""

    def __init__(self, body: bytes, status: int) -> None:
        self._body = body
        self._status = status
        self._headers = _JsonHeaders()

    @property
    def status_code(self) -> int:
        return self._status

    @property
    def mimetype(self) -> str:
        return _JSON

    @property
    def charset(self) -> str:
        return "utf-8"

    @property
    def headers(self) -> Headers:
        return self._headers

    def get_body(self) -> bytes:
        return self._body


def http_function(*methods: str) -> Callable[[Handler], Handler]:
    """Answer a handler's errors with problem bodies, and other methods than its own with 405.

    The Functions host answers a wrong method with a bare 404 when the methods stand in the
    binding, so they stand here.

    Args:
        methods: The handler's methods, in upper case.
    """

    def decorate(handler: Handler) -> Handler:
        @functools.wraps(handler)
        async def answer(req: func.HttpRequest) -> func.HttpResponse:
            method = req.method
            try:
                if method not in methods:
                    raise _method_not_allowed(methods)
                response = await handler(req)
            except ProblemError as problem:
                response = problem.response()
            except SignalRError as error:
                _logger.warning("%s: %s", handler.__name__, error, extra=log_fields(error))
                response = problem_for(error).response()
            return _without_body(response) if method == "HEAD" else response

        return answer

    return decorate


def problem_for(error: SignalRError) -> ProblemError:
    """Return what a caller is told of an error: what to do, and nothing of this side's affairs."""
    for kind, status, detail in _TOLD:
        if isinstance(error, kind):
            return ProblemError(status, detail)
    if isinstance(error, InvalidArgumentError):
        return ProblemError(HTTPStatus.BAD_REQUEST, str(error))
    if isinstance(error, TokenTooLargeError):
        return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error))
    if isinstance(error, ServiceError) and _may_pass(error):
        seconds = _DEFAULT_RETRY_AFTER if error.retry_after is None else error.retry_after
        return ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "The SignalR service cannot be used for now. Try again later.",
            headers={"Retry-After": str(max(1, math.ceil(seconds)))},
        )
    return ProblemError(HTTPStatus.BAD_GATEWAY, "The SignalR service refused the request.")


def _may_pass(error: ServiceError) -> bool:
    """Tell whether another try makes sense, at one of several endpoints at least."""
    if isinstance(error, EndpointsError):
        return any(map(_may_pass, error.failures.values()))
    return isinstance(error, _UNAVAILABLE)


def _without_body(response: func.HttpResponse) -> func.HttpResponse:
    """Return the answer to HEAD; whether a host would leave the body away by itself is its own."""
    return func.HttpResponse(
        status_code=response.status_code, headers=response.headers, mimetype=response.mimetype
    )


def _method_not_allowed(methods: Sequence[str]) -> ProblemError:
    allowed = ", ".join(methods)
    return ProblemError(
        HTTPStatus.METHOD_NOT_ALLOWED,
        f"This resource knows {allowed}.",
        headers={"Allow": allowed},
    )
