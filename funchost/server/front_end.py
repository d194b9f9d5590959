"""The HTTP edge: aiohttp requests in, functions called, responses out.

Answers what the Functions host answers: 404 without a body where no function is, 401 without one
to a missing key, 500 without one when a function fails, 413 for bodies over the limit, 408 for one
that does not come. Unlike it, it refuses web pages and host names that nobody has allowed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from time import perf_counter
from typing import Final, Protocol

from aiohttp import HttpVersion11, hdrs, web

from ..authentication.sign_in import EasyAuth, is_auth_path
from ..log import RequestLog
from ..routing.routes import Router
from ..worker.functions import Function, InvocationError
from ..worker.messages import HttpRequest, HttpResponse, new_invocation_id
from .admission import Admission, Asked
from .cors import CorsPolicy, is_preflight
from .keys import FunctionKeys
from .patience import PATIENCE, Patience, read_body

__all__ = ["FrontEnd", "Invoker", "application", "function_urls", "runner"]

_HOME: Final = "The Functions host is running.\n"
# The server that writes the response decides on these (RFC 9110, 7.6.1).
_NOT_COPIED: Final = frozenset(
    {
        "connection",
        "content-length",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class Invoker(Protocol):
    """Runs the functions of an app, in this process or in others."""

    functions: tuple[Function, ...]

    async def invoke(
        self, function: Function, request: HttpRequest, invocation_id: str
    ) -> HttpResponse:
        """Run an HTTP function.

        Raises:
            InvocationError: The function failed, or its process ended.
        """


class FrontEnd:
    """Serves the HTTP functions of a worker.

    Args:
        worker: Runs the functions.
        router: Finds the function of a request.
        admission: Who is answered.
        max_body_bytes: Length of the longest body of a request, in bytes.
        cors: Which origins may call, where CORS is on.
        auth: Signs people in, where authentication is on.
        keys: Open the functions, where keys are asked for.
        patience: How long a request may take to come.
        log: Where requests are written.
    """

    def __init__(
        self,
        worker: Invoker,
        router: Router,
        *,
        admission: Admission,
        max_body_bytes: int,
        cors: CorsPolicy | None = None,
        auth: EasyAuth | None = None,
        keys: FunctionKeys | None = None,
        patience: Patience = PATIENCE,
        log: RequestLog | None = None,
    ) -> None:
        self._worker = worker
        self._functions = {function.name: function for function in worker.functions}
        self._router = router
        self._admission = admission
        self._cors = cors
        self._auth = auth
        self._keys = keys
        self._max_body_bytes = max_body_bytes
        self._patience = patience
        self._log = log or RequestLog()
        self._requests = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def serve(self, request: web.Request) -> web.Response:
        """Answer a request."""
        self._requests += 1
        self._idle.clear()
        started = perf_counter()
        try:
            response = await self._respond(request)
            seconds = perf_counter() - started
            self._log.request(request.method, request.rel_url.raw_path, response.status, seconds)
            return response
        finally:
            self._requests -= 1
            if not self._requests:
                self._idle.set()

    async def finished(self) -> None:
        """Wait until it has answered all its requests."""
        await self._idle.wait()

    async def _respond(self, request: web.Request) -> web.Response:
        refusal = self._admission.refusal(_asked(request))
        if refusal is not None:
            return web.Response(status=refusal.status, text=f"{refusal.reason}\n")
        cors = self._cors
        if cors is not None and is_preflight(request.method, request.headers):
            return web.Response(status=204, headers=cors.preflight_headers(request.headers))
        try:
            response = await self._answer(request)
        except (web.HTTPRequestEntityTooLarge, web.HTTPRequestTimeout) as error:
            response = web.Response(status=error.status)
            if isinstance(error, web.HTTPRequestTimeout):
                response.force_close()
        if cors is not None:
            _add_cors(response, cors.response_headers(request.headers.get(hdrs.ORIGIN)))
        return response

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.rel_url.raw_path
        if self._auth is not None and is_auth_path(path):
            return await self._auth.answer(request, self._body)
        match = self._router.match(request.method, path)
        if match is None:
            if path == "/" and request.method in {hdrs.METH_GET, hdrs.METH_HEAD}:
                return web.Response(text=_HOME)
            return web.Response(status=404)
        function = self._functions[match.function]
        if self._keys is not None and not self._keys.allows(
            function.auth_level, request.headers, request.query.items()
        ):
            self._log.line(logging.INFO, f"{function.name}: the key is missing or wrong")
            return web.Response(status=401)
        body = await self._body(request)
        return await self._run(
            function,
            HttpRequest(
                request.method,
                f"{request.scheme}://{request.host}{request.rel_url.raw_path_qs}",
                self._headers(request),
                # The worker does not declare that it takes empty values, so the host sends none.
                {name: value for name, value in _query(request).items() if value},
                match.params,
                body,
            ),
        )

    def _headers(self, request: web.Request) -> dict[str, str]:
        headers = _joined((name.lower(), value) for name, value in request.headers.items())
        return headers if self._auth is None else self._auth.headers(request, headers)

    async def _body(self, request: web.Request) -> bytes:
        return await read_body(request, self._max_body_bytes, self._patience.silence)

    async def _run(self, function: Function, request: HttpRequest) -> web.Response:
        invocation_id = new_invocation_id()
        started = perf_counter()
        what = f"'Functions.{function.name}'"
        self._log.line(logging.DEBUG, f"Executing {what} (Id={invocation_id})")
        try:
            answer = await self._worker.invoke(function, request, invocation_id)
        except InvocationError as error:
            reason = error.stack_trace.rstrip() or error
            self._log.line(logging.ERROR, f"{function.name} failed (Id={invocation_id})\n{reason}")
            return web.Response(status=500)
        took = round((perf_counter() - started) * 1000)
        outcome = f"Succeeded, Id={invocation_id}, Duration={took}ms"
        self._log.line(logging.DEBUG, f"Executed {what} ({outcome})")
        return _response(answer)


def application(serve: Callable[[web.Request], Awaitable[web.Response]]) -> web.Application:
    """Return the aiohttp application that has every request answered by a front end.

    Args:
        serve: `FrontEnd.serve`, or what chooses the front end of a request.
    """
    made = web.Application()
    # With line breaks, which a dot alone leaves to aiohttp's own 404.
    made.router.add_route("*", "/{path:(?s:.*)}", serve)
    return made


def runner(
    served: web.Application, shutdown_timeout: float, patience: Patience = PATIENCE
) -> web.AppRunner:
    """Return what serves an application.

    Args:
        served: The application.
        shutdown_timeout: How long requests may take when it stops, in seconds.
        patience: How long a request may take to come.
    """
    return web.AppRunner(
        served,
        access_log=None,
        # A function gets a compressed body as it came.
        auto_decompress=False,
        # Counts from the connection on, and until the headers of the next request are there.
        keepalive_timeout=patience.headers,
        shutdown_timeout=shutdown_timeout,
    )


def function_urls(functions: Iterable[Function], base_url: str, prefix: str) -> str:
    """Return the list of functions that is printed at the start, as Core Tools writes it."""
    lines = ["Functions:", ""]
    for function in functions:
        if function.is_http:
            methods = f"[{','.join(function.methods)}] " if function.methods else ""
            path = "/".join(filter(None, (prefix, function.route.removeprefix("/"))))
            lines.append(f"        {function.name}: {methods}{base_url}/{path}")
        else:
            lines.append(f"        {function.name}: {function.trigger} (not run by this host)")
        lines.append("")
    return "\n".join(lines)


def _asked(request: web.Request) -> Asked:
    headers = request.headers
    hosts = headers.getall(hdrs.HOST, [])
    if len(hosts) > 1:
        # Which of them counts, nobody can tell.
        hosts = [", ".join(hosts)]
    elif hosts and request.host != hosts[0]:
        # That of a target in absolute form counts before the header (RFC 9112, 3.2.2).
        hosts = [*hosts, f"[{request.host}]" if ":" in request.host else request.host]
    origins = headers.getall(hdrs.ORIGIN, [])
    return Asked(
        request.method,
        hosts,
        request.version >= HttpVersion11,
        # Several in one are the origin of nobody.
        ", ".join(origins) if origins else None,
        headers.get("Sec-Fetch-Site"),
    )


def _response(answer: HttpResponse) -> web.Response:
    headers = [
        *(
            (name, value)
            for name, value in answer.headers.items()
            if name.lower() not in _NOT_COPIED
        ),
        *((hdrs.SET_COOKIE, cookie) for cookie in answer.cookies),
    ]
    return web.Response(status=answer.status, headers=headers, body=answer.body)


def _add_cors(response: web.Response, headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if name == hdrs.VARY and (own := response.headers.get(hdrs.VARY)):
            response.headers[name] = f"{own}, {value}"
        else:
            response.headers[name] = value


def _query(request: web.Request) -> dict[str, str]:
    # Names are equal regardless of case; the spelling that comes first is the one that is kept.
    spelling: dict[str, str] = {}
    return _joined(
        (spelling.setdefault(name.lower(), name), value) for name, value in request.query.items()
    )


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Collect pairs into a mapping; values of a name that repeats are joined by commas.

    That is how the host flattens .NET's StringValues into the message's map of strings.
    """
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined
