"""What is around the service, as one aiohttp application: managed identity, roles, the emulator."""

from typing import Any

from aiohttp import web

from ..clock import MAX_ADVANCE
from ..documents.fields import number, properties
from ..documents.json_text import decode
from ..documents.problems import checked
from ..faults.middleware import fault_middleware
from ..inspector.routes import Inspector
from ..state.resource import Resource
from ..state.service import Service
from .admission import own_pages_only
from .app_service import app_service_routes
from .authority import openid_routes
from .connection_routes import ConnectionRoutes
from .fault_routes import FaultRoutes
from .hub_routes import HubRoutes
from .imds import imds_routes
from .resource_manager import ResourceManager
from .state_routes import StateRoutes
from .upstream_routes import UpstreamRoutes

__all__ = ["control_plane"]


def control_plane(service: Service, authority_url: str) -> web.Application:
    """Make the application of everything that is not the SignalR service itself.

    Args:
        service: The state that it serves.
        authority_url: Where the authority is, without a trailing slash.
    """
    app = web.Application(
        middlewares=[own_pages_only(service.config), fault_middleware(service.faults)]
    )
    inspector = Inspector(service)
    app.on_shutdown.append(inspector.stop)
    app.add_routes(
        [
            *inspector.routes(),
            *app_service_routes(service),
            *imds_routes(service),
            *openid_routes(service, authority_url),
            *_ClockAndState(service).routes(),
            *ResourceManager(service).routes(),
            *UpstreamRoutes(service).routes(),
            *FaultRoutes(service).routes(),
            *ConnectionRoutes(service).routes(),
            *HubRoutes(service).routes(),
            *StateRoutes(service).routes(),
        ]
    )
    return app


class _ClockAndState:
    """What a test looks at and moves: the clock, and what happened so far."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/emulator/clock", self._read_clock),
            web.post("/emulator/clock", checked(self._advance_clock)),
            web.delete("/emulator/clock", self._reset_clock),
            web.get("/emulator/state", self._state),
        ]

    async def _read_clock(self, _request: web.Request) -> web.Response:
        clock = self._service.clock
        return web.json_response({"now": clock.now(), "offset": clock.offset})

    async def _advance_clock(self, request: web.Request) -> web.Response:
        fields = properties(decode(await request.read()), ("advance",))
        self._service.clock.advance(number(fields, "advance", MAX_ADVANCE))
        return await self._read_clock(request)

    async def _reset_clock(self, request: web.Request) -> web.Response:
        self._service.clock.reset()
        return await self._read_clock(request)

    async def _state(self, _request: web.Request) -> web.Response:
        service = self._service
        resources = {each.config.name: self._state_of(each) for each in service.resources}
        return web.json_response({**self._state_of(service.first), "resources": resources})

    def _state_of(self, resource: Resource) -> dict[str, Any]:
        service = self._service
        return {
            "identityRequests": service.activity.identity_requests,
            "keyRequests": resource.activity.key_requests,
            "liveKeys": [key.key_id for key in resource.access_keys.live()],
            "connections": resource.hubs.connection_counts(),
            "serverConnections": resource.servers.counts(),
            "roleAssignments": [
                {
                    "principalId": assignment.principal_id,
                    "role": assignment.role.name,
                    "scope": assignment.scope,
                    "enabled": service.role_assignments.is_on(assignment),
                }
                for assignment in service.role_assignments.assignments
            ],
        }
