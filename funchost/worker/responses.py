"""What a function has answered as an HTTP response, by either interface of the worker library.

The mapping is the one of GrpcMessageExtensionUtilities in Azure/azure-functions-host.
"""

from collections.abc import Iterable, Mapping
from email.utils import formatdate
from typing import Final
from urllib.parse import quote

from .functions import InvocationError
from .messages import HttpResponse
from .protos import RpcHttpCookie, SameSite

__all__ = ["http_response", "no_response", "set_cookie", "text_response"]

_TEXT: Final = {"content-type": "text/plain; charset=utf-8"}
# Every status that HTTP can carry (RFC 9110, 15), as functions' answers write it.
_STATUS: Final = {str(status): status for status in range(100, 1000)}
_SAME_SITE: Final = {
    SameSite.Lax: "lax",
    SameSite.Strict: "strict",
    SameSite.ExplicitNone: "none",
}


def no_response() -> HttpResponse:
    """Return the answer of a function that sets none: 204."""
    return HttpResponse(204, {})


def text_response(text: str) -> HttpResponse:
    """Return the answer of a function that returns a plain string: 200 `text/plain`."""
    return HttpResponse(200, _TEXT, text.encode())


def http_response(
    status: str,
    headers: Mapping[str, str],
    body: bytes,
    cookies: Iterable[RpcHttpCookie] | None,
) -> HttpResponse:
    """Return a complete answer.

    Raises:
        InvocationError: The status code is no HTTP status.
    """
    number = _STATUS.get(status)
    if number is None:
        raise InvocationError(f"the function's status code {status!r} is no HTTP status")
    return HttpResponse(number, headers, body, tuple(map(set_cookie, cookies)) if cookies else ())


def set_cookie(cookie: RpcHttpCookie) -> str:
    """Write a cookie as the host does: value percent-encoded, attributes in lower case.

    Source: ResponseCookies.Append and SetCookieHeaderValue of ASP.NET Core. Attributes that the
    function left empty are not written.
    """
    parts = [f"{cookie.name}={quote(cookie.value, safe='')}"]
    if cookie.expires is not None and cookie.expires.value is not None:
        parts.append(f"expires={formatdate(cookie.expires.value.seconds, usegmt=True)}")
    if cookie.max_age is not None and cookie.max_age.value is not None:
        parts.append(f"max-age={int(cookie.max_age.value)}")
    if cookie.domain is not None and cookie.domain.value:
        parts.append(f"domain={cookie.domain.value}")
    if cookie.path is not None and cookie.path.value:
        parts.append(f"path={cookie.path.value}")
    if cookie.secure is not None and cookie.secure.value:
        parts.append("secure")
    if same_site := _SAME_SITE.get(SameSite(cookie.same_site)):
        parts.append(f"samesite={same_site}")
    if cookie.http_only is not None and cookie.http_only.value:
        parts.append("httponly")
    return "; ".join(parts)
