"""The SignalR service as one aiohttp application: REST, authentication API and clients."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from http import HTTPStatus

from aiohttp import hdrs, web

from .admission.middleware import admission_middleware
from .admission.rules import Admission
from .client_endpoint.routes import ClientEndpoint
from .faults.middleware import DISTURBED, fault_middleware
from .operations.errors import error_details, error_response
from .operations.parameters import MAX_BODY_BYTES
from .operations.table import Task
from .rest.noted import NOTED
from .rest.refusals import refusal
from .rest.routes import RestApi
from .server_endpoint.routes import ServerEndpoint
from .state.journal import Request
from .state.resource import Resource
from .state.service import Service

__all__ = ["data_plane"]

_CLIENT_PREFIX = "/client"

_KEPT_BODY = 16 * 1024
"""How much of a body is kept in the journal, in bytes."""

_UNSHOWN = frozenset({Task.GET_ACCESS_KEY.value, Task.GENERATE_TOKEN.value})
"""What is answered with something that is nobody else's."""

_GRACE = 2.0
"""How long events that still wait are sent when the emulator stops, in seconds."""


def data_plane(service: Service, resource: Resource) -> web.Application:
    """Make the application that listens where Azure SignalR Service would.

    Args:
        service: The state of the emulator.
        resource: The SignalR resource that it serves.
    """
    config = service.config
    admission = Admission(config.host, config.host_names, config.allowed_origins)
    clients = ClientEndpoint(service, resource)
    servers = ServerEndpoint(service, resource)
    app = web.Application(
        client_max_size=MAX_BODY_BYTES,
        middlewares=[
            admission_middleware(admission, error_response),
            error_details,
            fault_middleware(service.faults, clients.is_poll),
        ],
    )
    app.router.register_resource(RestApi(service, resource).paths())
    app.add_routes(clients.routes())
    app.add_routes(servers.routes())
    app.on_response_prepare.append(partial(_finish, service, resource, admission))
    app.on_shutdown.append(clients.disconnect_all)
    app.on_shutdown.append(servers.disconnect_all)
    app.cleanup_ctx.append(_upstream_session(resource))
    return app


def _upstream_session(resource: Resource) -> Callable[[web.Application], AsyncIterator[None]]:
    async def session(_app: web.Application) -> AsyncIterator[None]:
        async with resource.upstream:
            yield
            await resource.events.finish(_GRACE)

    return session


async def _finish(
    service: Service,
    resource: Resource,
    admission: Admission,
    request: web.Request,
    response: web.StreamResponse,
) -> None:
    """Do what is to be done as soon as the status of an answer is known."""
    _allow_origin(admission, request, response)
    _record(service, resource, request, response)


def _record(
    service: Service, resource: Resource, request: web.Request, response: web.StreamResponse
) -> None:
    """Keep a request in the journal."""
    noted = request.get(NOTED) or Request()
    noted.time = service.clock.now()
    noted.resource = resource.config.name
    noted.method = request.method
    noted.path = request.path
    noted.status = response.status
    noted.hub = request.match_info.get("hub") or request.query.get("hub")
    if noted.body:
        noted.content_type = request.headers.get(hdrs.CONTENT_TYPE)
        noted.body = noted.body[:_KEPT_BODY]
    noted.answer = _answer(noted.operation, response)
    noted.refusal = refusal(service, resource, request, noted)
    noted.is_disturbed = request.get(DISTURBED, False)
    service.journal.happened(noted)


def _answer(operation: str | None, response: web.StreamResponse) -> bytes:
    """Give the start of an answer that may be shown."""
    if not isinstance(response, web.Response) or not isinstance(response.body, bytes):
        return b""
    # Keys and tokens are given to whoever asks with success, those of clients included.
    is_secret = operation is None or operation in _UNSHOWN
    if is_secret and response.status < HTTPStatus.BAD_REQUEST:
        return b""
    return response.body[:_KEPT_BODY]


def _allow_origin(admission: Admission, request: web.Request, response: web.StreamResponse) -> None:
    """Let browsers read what clients of allowed origins are answered, errors included."""
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None or not request.path.startswith(_CLIENT_PREFIX):
        return
    if not admission.is_listed(origin):
        return
    response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
    response.headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
    response.headers[hdrs.VARY] = hdrs.ORIGIN
