"""Carries out faults: one aiohttp middleware in front of every plane."""

import socket
import struct
from collections.abc import Callable
from http import HTTPStatus

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from ..errors import AuthenticationError
from ..operations.errors import unauthorized
from ..operations.table import HEALTH_PATHS, OPERATIONS, READS
from ..transports.local_address import local_address
from .disturbances import ALLOWED, pause
from .rules import Action, Armed, Faults, Request

__all__ = ["DISTURBED", "OPERATION_NAMES", "fault_middleware"]

DISTURBED = web.RequestKey("disturbed", bool)
"""That a fault had a hand in a request."""

_CONTROL_PREFIX = "/emulator/"
_CUT_JSON = b'{"'
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

_POLL = "poll"
"""A second name of `connect`, for the polls that follow the first: that one connects."""

_OPERATIONS: dict[tuple[str, str], str] = {
    ("GET", "/msi/token"): "identity",
    ("GET", "/metadata/identity/oauth2/token"): "identity",
    ("POST", "/{tenant}/oauth2/v2.0/token"): "identity",
    ("POST", "/client/negotiate"): "negotiate",
    ("GET", "/client/"): "connect",
    ("GET", "/client"): "connect",
    ("GET", "/server/"): "connectServer",
    ("GET", "/server"): "connectServer",
    **{(method, path): "health" for method in READS for path in HEALTH_PATHS},
    **{(operation.method, operation.path): operation.task.value for operation in OPERATIONS},
}
"""Names by method and route."""

OPERATION_NAMES = frozenset((*_OPERATIONS.values(), _POLL, *ALLOWED))

_REFRESH_REQUIRED = {"error": "authentication_refresh_required"}
"""Client 11.0.0 refreshes at once and polls again; a second such answer ends its connection."""


def fault_middleware(
    faults: Faults, is_poll: Callable[[web.Request], bool] = lambda _request: False
) -> Middleware:
    """Make the middleware that disturbs requests; `/emulator/…` itself is never disturbed.

    Args:
        faults: What is disturbed, and how.
        is_poll: Tells whether a request polls for a client that is connected.
    """

    @web.middleware
    async def disturb(request: web.Request, handler: Handler) -> web.StreamResponse:
        if faults.are_none or request.path.startswith(_CONTROL_PREFIX):
            return await handler(request)
        armed = faults.take(_seen(request, is_poll=is_poll(request)))
        if armed is None:
            return await handler(request)
        return await _apply(armed, request, handler)

    return disturb


async def _apply(armed: Armed, request: web.Request, handler: Handler) -> web.StreamResponse:
    fault = armed.fault
    request[DISTURBED] = True
    await pause(armed, lambda: _is_gone(request))
    instead = _instead(armed, request)
    if instead is not None:
        return instead
    response = await handler(request)
    match fault.action:
        case Action.TRUNCATE:
            return await _truncate(request, response)
        case Action.MALFORM:
            return _malform(response)
        case _:
            return response


def _instead(armed: Armed, request: web.Request) -> web.Response | None:
    """Give the response where nothing is carried out, or None."""
    match armed.fault.action:
        case Action.ANSWER:
            return _answer(armed)
        case Action.UNKNOWN_KEY:
            return unauthorized(AuthenticationError("The signature key was not found"))
        case Action.REFRESH_REQUIRED:
            return web.json_response(_REFRESH_REQUIRED, status=HTTPStatus.CONFLICT)
        case Action.RESET:
            _reset(request)
            return web.Response()
        case _:
            # Who gave up while the request was frozen does not want it any more.
            return web.Response() if _is_gone(request) else None


def _answer(armed: Armed) -> web.Response:
    response = web.Response(status=armed.fault.status, text=armed.fault.body)
    for name, value in armed.fault.headers:
        response.headers[name] = value
    return response


def _reset(request: web.Request) -> None:
    if request.transport is None:
        return
    opened = request.transport.get_extra_info("socket")
    if opened is not None:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    request.transport.abort()


async def _truncate(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    body = _body(response)
    if body is None:
        return response
    cut = web.StreamResponse(status=response.status, headers=response.headers)
    cut.headers[hdrs.CONTENT_LENGTH] = str(len(body) or len(_CUT_JSON))
    await cut.prepare(request)
    await cut.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return cut


def _malform(response: web.StreamResponse) -> web.StreamResponse:
    body = _body(response)
    if body is not None and isinstance(response, web.Response):
        response.body = body[: len(body) // 2] or _CUT_JSON
    return response


def _body(response: web.StreamResponse) -> bytes | None:
    """Give a body that is not sent yet, or None for a WebSocket or a stream."""
    if response.prepared or not isinstance(response, web.Response):
        return None
    return response.body if isinstance(response.body, bytes) else b""


def _seen(request: web.Request, *, is_poll: bool) -> Request:
    address = local_address(request)
    resource = request.match_info.route.resource
    route = "" if resource is None else resource.canonical
    name = _OPERATIONS.get((request.method, route))
    # Clients name their hub in the query.
    hub = request.match_info.get("hub") or request.query.get("hub")
    return Request(
        method=request.method,
        path=request.path,
        port=0 if address is None else address.port,
        operations=frozenset(filter(None, (name, _POLL if is_poll else None))),
        hub=None if hub is None else hub.lower(),
    )


def _is_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()
