"""What is around the service, as one aiohttp application: identity endpoint, Entra, emulator.

Sources: App Service, "REST endpoint reference" of managed identities (api-version 2019-08-01);
OpenID Connect Discovery 1.0; RFC 9457 for the errors of `/emulator/…`.
"""

import hmac
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from signalr_emulator.authority import openid_routes
from signalr_emulator.errors import (
    FieldError,
    JsonError,
    Problem,
    UnknownIdentityError,
)
from signalr_emulator.fault_middleware import fault_middleware
from signalr_emulator.fault_routes import FaultRoutes
from signalr_emulator.imds import imds_routes
from signalr_emulator.inspector import Inspector, same_origin
from signalr_emulator.json_text import Json, decode
from signalr_emulator.resource import Resource
from signalr_emulator.resource_manager import ResourceManager
from signalr_emulator.service import Service
from signalr_emulator.upstream_routes import UpstreamRoutes

__all__ = ["MSI_PATH", "control_plane"]

MSI_PATH = "/msi/token"

_API_VERSION = "2019-08-01"
_TOKEN_LIFETIME = 24 * 3600
"""How long a managed identity's token is valid, in seconds."""


def control_plane(service: Service, authority_url: str) -> web.Application:
    """Make the application of everything that is not the SignalR service itself.

    Args:
        service: The state that it serves.
        authority_url: Where the authority is, without a trailing slash.
    """
    routes = _Routes(service)
    app = web.Application(middlewares=[_refuse_other_pages, fault_middleware(service.faults)])
    inspector = Inspector(service)
    app.add_routes(inspector.routes())
    app.on_shutdown.append(inspector.stop)
    app.add_routes(
        [
            *imds_routes(service),
            *openid_routes(service, authority_url),
            web.get(MSI_PATH, routes.identity_token),
            web.get("/emulator/clock", routes.read_clock),
            web.post("/emulator/clock", routes.advance_clock),
            web.get("/emulator/state", routes.state),
        ]
    )
    app.add_routes(ResourceManager(service).routes())
    app.add_routes(UpstreamRoutes(service).routes())
    app.add_routes(FaultRoutes(service).routes())
    return app


@web.middleware
async def _refuse_other_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    if not same_origin(request):
        raise web.HTTPForbidden(text="Requests of other pages are not answered here.")
    return await handler(request)


class _Routes:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def identity_token(self, request: web.Request) -> web.Response:
        self._service.activity.identity_requests += 1
        if not self._is_identity_header(request.headers.get("X-IDENTITY-HEADER", "")):
            return _msi_error(HTTPStatus.UNAUTHORIZED, "X-IDENTITY-HEADER is missing or wrong.")
        if request.query.get("api-version") != _API_VERSION:
            return _msi_error(HTTPStatus.BAD_REQUEST, f"api-version has to be {_API_VERSION}.")
        resource = request.query.get("resource", "").strip()
        if not resource:
            return _msi_error(HTTPStatus.BAD_REQUEST, "The parameter resource is missing.")
        try:
            identity = self._service.identities.named_by(request.query)
        except UnknownIdentityError as error:
            return _msi_error(HTTPStatus.BAD_REQUEST, str(error))
        token = self._service.tenant.issue(identity, resource, _TOKEN_LIFETIME)
        return web.json_response(
            {
                "access_token": token.text,
                "expires_on": str(token.expires_on),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": identity.client_id,
            },
            headers={"Cache-Control": "no-store"},
        )

    async def read_clock(self, _request: web.Request) -> web.Response:
        return self._clock()

    async def advance_clock(self, request: web.Request) -> web.Response:
        try:
            self._service.clock.advance(_advance(decode(await request.read())))
        except JsonError as error:
            return _problem(f"The body {error}.", "#", str(error))
        except ValueError as error:
            return _problem(f"advance {error}.", "#/advance", str(error))
        return self._clock()

    async def state(self, _request: web.Request) -> web.Response:
        service = self._service
        resources = {resource.config.name: self._state(resource) for resource in service.resources}
        return web.json_response({**self._state(service.first), "resources": resources})

    def _state(self, resource: Resource) -> dict[str, Any]:
        service = self._service
        return {
            "identityRequests": service.activity.identity_requests,
            "keyRequests": resource.activity.key_requests,
            "liveKeys": resource.access_keys.live_ids(),
            "connections": resource.hubs.connection_counts(),
            "roleAssignments": [
                {
                    "principalId": assignment.principal_id,
                    "role": assignment.role.name,
                    "scope": assignment.scope,
                }
                for assignment in service.role_assignments.assignments
            ],
        }

    def _is_identity_header(self, given: str) -> bool:
        # aiohttp keeps bytes that are not UTF-8 as lone surrogates.
        return hmac.compare_digest(
            given.encode(errors="surrogateescape"), self._service.config.identity_header.encode()
        )

    def _clock(self) -> web.Response:
        clock = self._service.clock
        return web.json_response({"now": clock.now(), "offset": clock.offset})


def _advance(body: Json) -> float:
    seconds = body.get("advance") if isinstance(body, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ValueError("is not a number of seconds")  # noqa: TRY004 - a value from the wire
    return seconds


def _msi_error(status: HTTPStatus, message: str) -> web.Response:
    return web.json_response({"statusCode": int(status), "message": message}, status=status)


def _problem(detail: str, pointer: str, error: str) -> web.Response:
    problem = Problem(HTTPStatus.BAD_REQUEST, detail, (FieldError(pointer, error),))
    body: dict[str, Any] = problem.to_json()
    return web.json_response(body, status=problem.status, content_type="application/problem+json")
