"""What is around the service, as one aiohttp application: identity endpoint, Entra, emulator.

Sources: App Service, "REST endpoint reference" of managed identities (api-version 2019-08-01);
OpenID Connect Discovery 1.0; RFC 9457 for the errors of `/emulator/…`.
"""

import hmac
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from signalr_emulator.errors import (
    FieldError,
    JsonError,
    Problem,
    UnknownIdentityError,
)
from signalr_emulator.fault_middleware import fault_middleware
from signalr_emulator.fault_routes import FaultRoutes
from signalr_emulator.identities import Identities, Identity
from signalr_emulator.imds import imds_routes
from signalr_emulator.inspector import Inspector, same_origin
from signalr_emulator.json_text import Json, decode
from signalr_emulator.resource import Resource
from signalr_emulator.service import Service
from signalr_emulator.token_endpoint import token_endpoint_routes
from signalr_emulator.upstream_routes import UpstreamRoutes

__all__ = ["MSI_PATH", "control_plane"]

MSI_PATH = "/msi/token"

_API_VERSION = "2019-08-01"
_TOKEN_LIFETIME = 24 * 3600
"""How long a managed identity's token is valid, in seconds."""

_PRINCIPAL_ID = ("object_id", "principal_id")
_RESOURCE_ID = ("mi_res_id", "msi_res_id")


def control_plane(service: Service) -> web.Application:
    """Make the application of everything that is not the SignalR service itself.

    Args:
        service: The state that it serves.
    """
    routes = _Routes(service)
    app = web.Application(middlewares=[_refuse_other_pages, fault_middleware(service.faults)])
    inspector = Inspector(service)
    app.add_routes(inspector.routes())
    app.on_shutdown.append(inspector.stop)
    app.add_routes(
        [
            *imds_routes(service),
            *token_endpoint_routes(service),
            web.get(MSI_PATH, routes.identity_token),
            web.get("/{tenant}/v2.0/.well-known/openid-configuration", routes.openid_configuration),
            web.get("/{tenant}/discovery/v2.0/keys", routes.key_set),
            web.get("/emulator/clock", routes.read_clock),
            web.post("/emulator/clock", routes.advance_clock),
            web.get("/emulator/state", routes.state),
        ]
    )
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
            identity = _identity(self._service.identities, request.query)
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

    async def openid_configuration(self, request: web.Request) -> web.Response:
        self._check_tenant(request)
        base_url = f"{request.scheme}://{request.host}"
        return web.json_response(self._service.tenant.openid_configuration(base_url))

    async def key_set(self, request: web.Request) -> web.Response:
        self._check_tenant(request)
        return web.json_response(self._service.tenant.key_set())

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

    def _check_tenant(self, request: web.Request) -> None:
        if request.match_info["tenant"].lower() != self._service.tenant.tenant_id:
            raise web.HTTPNotFound(text="There is no such tenant.")

    def _clock(self) -> web.Response:
        clock = self._service.clock
        return web.json_response({"now": clock.now(), "offset": clock.offset})


def _identity(identities: Identities, query: Mapping[str, str]) -> Identity:
    if "client_id" in query:
        return identities.by_client_id(query["client_id"])
    for name in _PRINCIPAL_ID:
        if name in query:
            return identities.by_principal_id(query[name])
    for name in _RESOURCE_ID:
        if name in query:
            return identities.by_resource_id(query[name])
    return identities.system_assigned()


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
