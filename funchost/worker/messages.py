"""HTTP requests and responses as a function sees them, and their FunctionRpc messages.

The mapping is the one of GrpcMessageConversionExtensions and GrpcMessageExtensionUtilities in
Azure/azure-functions-host, for the capabilities that the Python worker declares: raw body bytes,
the body only once, no trigger metadata.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from random import getrandbits
from typing import Final
from urllib.parse import quote

from .protos import (
    InvocationResponse,
    RpcHttp,
    RpcHttpCookie,
    SameSite,
    TypedData,
)

__all__ = [
    "HttpRequest",
    "HttpResponse",
    "new_invocation_id",
    "request_data",
    "response_of",
    "set_cookie",
    "trace_parent",
]

_TEXT: Final = {"content-type": "text/plain; charset=utf-8"}
_JSON: Final = {"content-type": "application/json; charset=utf-8"}
# Every status that HTTP can carry (RFC 9110, 15), as the message writes it.
_STATUS: Final = {str(status): status for status in range(100, 1000)}
_SAME_SITE: Final = {
    SameSite.Lax: "lax",
    SameSite.Strict: "strict",
    SameSite.ExplicitNone: "none",
}
# Version ff is forbidden, and so are identifiers of zeros only (W3C Trace Context, 3.2.2).
_TRACE_PARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)


@dataclass(slots=True)
class HttpRequest:
    """A request for a function.

    Args:
        method: HTTP method.
        url: Absolute URL.
        headers: By names in lower case; values of a name that comes more than once are joined by
            commas.
        query: Likewise, by names as they were written.
        params: Values of the route's parameters.
        body: The body as it came.
    """

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class HttpResponse:
    """What a function answered.

    Args:
        status: HTTP status.
        headers: Its headers.
        body: Its body.
        cookies: Complete values of `Set-Cookie`.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    cookies: tuple[str, ...] = ()


def request_data(request: HttpRequest) -> TypedData:
    """Wrap a request for the worker."""
    return TypedData(
        RpcHttp(
            request.method,
            request.url,
            request.headers,
            TypedData(None, request.body),
            request.params,
            "",
            request.query,
        )
    )


def response_of(reply: InvocationResponse, binding: str) -> HttpResponse:
    """Read the HTTP response out of a successful invocation.

    `binding` is the name of the function's HTTP output: `$return`, or the name of an `Out`
    parameter. A function that sets none answers 204, a plain string is 200 `text/plain`.

    Raises:
        ValueError: The status code is no HTTP status.
    """
    data = reply.return_value
    if data is None or binding != "$return":
        data = next((p.data for p in reply.output_data if p.name == binding), data)
    if data is None:
        return HttpResponse(204, {})
    http = data.http
    if http is None:
        if data.bytes is not None:
            return HttpResponse(200, {}, data.bytes)
        if data.json is not None:
            return HttpResponse(200, _JSON, data.json.encode())
        return HttpResponse(200, _TEXT, (data.string or "").encode())
    return HttpResponse(
        _status(http.status_code),
        http.headers,
        _content(http.body),
        tuple(map(set_cookie, http.cookies)) if http.cookies else (),
    )


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


def new_invocation_id() -> str:
    """Return a random UUID (version 4) in its text form.

    It names an invocation and guards nothing, so it comes from the process's seeded generator: a
    tenth of the cost of asking the system for randomness on every request.
    """
    digits = getrandbits(128).to_bytes(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def trace_parent(header: str | None) -> str:
    """Return the caller's `traceparent`, a fresh one when it sends none or an invalid one.

    The fresh one begins a trace that is not sampled.
    """
    if header is not None and _TRACE_PARENT.fullmatch(header):
        return header
    digits = getrandbits(192).to_bytes(24).hex()
    return f"00-{digits[:32]}-{digits[32:]}-00"


def _status(text: str) -> int:
    status = _STATUS.get(text)
    if status is None:
        raise ValueError(f"the function's status code {text!r} is no HTTP status")
    return status


def _content(body: TypedData | None) -> bytes:
    if body is None:
        return b""
    if body.bytes is not None:
        return body.bytes
    return (body.string or body.json or "").encode()
