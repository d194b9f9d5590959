"""What can be seen of the upstream at the control port: `/emulator/upstream`."""

from aiohttp import web

from ..documents.json_text import Json
from ..state.resource import Resource
from ..state.service import Service
from ..upstream.sender import UpstreamCall

__all__ = ["UpstreamRoutes"]


class UpstreamRoutes:
    """Shows templates and the last calls.

    Args:
        service: The state that it shows, of every SignalR resource by its name.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        return [web.get("/emulator/upstream", self._show)]

    async def _show(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {resource.config.name: _upstream(resource) for resource in self._service.resources}
        )


def _upstream(resource: Resource) -> dict[str, Json]:
    return {
        # Without the URL, whose query may hold a key.
        "templates": [
            {
                "hubPattern": str(template.hub),
                "categoryPattern": str(template.category),
                "eventPattern": str(template.event),
                "managedIdentity": template.managed_identity,
            }
            for template in resource.upstream.templates
        ],
        "queued": resource.events.size,
        "calls": [_call(call) for call in resource.upstream.calls()],
    }


def _call(call: UpstreamCall) -> dict[str, Json]:
    return {
        "at": call.at,
        "hub": call.hub,
        "category": call.category,
        "event": call.event,
        "connectionId": call.connection_id,
        "userId": call.user_id,
        "arguments": call.arguments(),
        "url": call.url,
        "status": call.status,
        "error": call.error,
        "duration": call.duration,
    }
