"""The inspector: a page at the control port that shows what happens, as it happens."""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from http import HTTPStatus
from importlib.resources import files
from itertools import islice
from typing import Any

from aiohttp import hdrs, web

from ..access_control.roles import RoleAssignment
from ..clients.hubs import Hub, Member
from ..documents.fields import boolean, properties
from ..documents.json_text import decode
from ..documents.problems import checked, problem
from ..faults.disturbances import HANDSHAKE
from ..faults.middleware import OPERATION_NAMES
from ..faults.rules import Action, Armed
from ..server_connections.client import RelayedClient
from ..server_connections.live import ServerConnection
from ..state.resource import Resource
from ..state.service import Service
from ..transports.event_stream import event

__all__ = ["Inspector"]

_MOST_CONNECTIONS = 200
"""Connections of a hub that are listed; the others are only counted. So for app servers."""

_MOST_MESSAGES = 100

_CLIENTS_MOVE = {0: "never", 1: "when it shuts down"}
"""When clients may move to another server, by migration level."""

_INTERVAL = 0.25
"""Seconds between two looks at the state."""

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self';"
    " img-src data:"
)


class Inspector:
    """The page, the stream of states that it draws, and the switches on it.

    Args:
        service: What is shown.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._stopped = asyncio.Event()
        self._page = _asset("inspector.html")
        self._script = _asset("inspector.js")

    def routes(self) -> list[web.RouteDef]:
        """Give the routes of the page and of what it calls."""
        return [
            web.get("/", self._show_page),
            web.get("/inspector.js", self._show_script),
            web.get("/emulator/events", self._events),
            web.post("/emulator/role-assignments/{id}", checked(self._switch_role_assignment)),
        ]

    async def stop(self, _app: web.Application) -> None:
        """End the streams, which would otherwise keep the emulator from stopping."""
        self._stopped.set()

    async def _show_page(self, _request: web.Request) -> web.Response:
        return web.Response(
            text=self._page,
            content_type="text/html",
            headers={"Content-Security-Policy": _PAGE_POLICY},
        )

    async def _show_script(self, _request: web.Request) -> web.Response:
        return web.Response(text=self._script, content_type="text/javascript")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Send the state now and whenever it has changed, as server-sent events (HTML standard)."""
        response = web.StreamResponse(
            headers={hdrs.CONTENT_TYPE: "text/event-stream", hdrs.CACHE_CONTROL: "no-store"}
        )
        await response.prepare(request)
        sent = ""
        while not self._stopped.is_set():
            state = _snapshot(self._service)
            text = json.dumps(state)
            if text != sent:
                now = json.dumps({**state, "now": self._service.clock.now()})
                await response.write(event(now.encode()))
                sent = text
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), _INTERVAL)
        return response

    async def _switch_role_assignment(self, request: web.Request) -> web.Response:
        """Switch a role assignment off or on: `{"enabled": false}`."""
        assignments = self._service.role_assignments
        chosen = [each for each in assignments.assignments if each.name == request.match_info["id"]]
        if not chosen:
            return problem(HTTPStatus.NOT_FOUND, "There is no such role assignment.")
        enabled = boolean(properties(decode(await request.read()), ("enabled",)), "enabled")
        assignments.switch(chosen[0], on=enabled)
        return web.json_response({"enabled": enabled})


def _snapshot(service: Service) -> dict[str, Any]:
    """Give what the page shows, as JSON values; the same as long as nothing changes."""
    names = _names(service)
    return {
        "offset": service.clock.offset,
        "resources": [_resource(each) for each in service.resources],
        "roleAssignments": [
            _role_assignment(each, names, enabled=service.role_assignments.is_on(each))
            for each in service.role_assignments.assignments
        ],
        "calls": [
            {
                "time": call.time,
                "method": call.method,
                "path": call.path,
                "status": call.status,
                "dataAction": call.data_action,
                "principal": names.get(call.principal_id or "", call.principal_id),
            }
            for call in service.journal.calls
        ],
        "messages": [
            {
                "time": message.time,
                "hub": message.hub,
                "recipient": str(message.recipients),
                "target": message.target,
                "connections": message.connections,
                "unserved": message.unserved,
                "tracingId": message.tracing_id,
            }
            for message in islice(service.journal.messages, _MOST_MESSAGES)
        ],
        "operations": sorted(OPERATION_NAMES),
        "faults": [_fault(each) for each in service.faults.all()],
    }


def _names(service: Service) -> Mapping[str, str]:
    """Give what a person calls the principals that are known here."""
    config = service.config
    return {
        **{each.principal_id: "app registration" for each in config.applications},
        **{each.principal_id: each.resource_id.rpartition("/")[2] for each in config.identities},
    }


def _resource(resource: Resource) -> dict[str, Any]:
    return {
        "name": resource.config.name,
        "hubs": [_hub(name, hub) for name, hub in resource.hubs.by_name()],
        "appServers": [
            {
                "hub": hub,
                "count": count,
                "connections": [
                    _server_connection(each)
                    for each in resource.servers.of_hub(hub)[:_MOST_CONNECTIONS]
                ],
            }
            for hub, count in resource.servers.counts().items()
        ],
        "keys": [
            {"id": key.key_id, "expiresAt": key.expires_at} for key in resource.access_keys.live()
        ],
    }


def _hub(name: str, hub: Hub) -> dict[str, Any]:
    listed = list(hub.connections.values())[:_MOST_CONNECTIONS]
    return {
        "name": name,
        "count": len(hub.connections),
        "connections": [
            {
                "id": member.connection_id,
                "user": member.user_id,
                "server": _server_id(member),
                "groups": sorted(hub.memberships.get(member.connection_id, ())),
            }
            for member in listed
        ],
    }


def _server_id(member: Member) -> str | None:
    """Give the app server that answers a client, or None."""
    server = member.server if isinstance(member, RelayedClient) else None
    return None if server is None else server.server_id


def _server_connection(server: ServerConnection) -> dict[str, Any]:
    return {
        "id": server.connection_id,
        "server": server.server_id,
        "kind": server.kind.name.replace("_", " ").capitalize(),
        "clients": len(server.clients),
        "clientsMove": _CLIENTS_MOVE.get(server.migration_level, "at any time"),
        "isLeaving": server.is_leaving,
    }


def _fault(armed: Armed) -> dict[str, Any]:
    fault = armed.fault
    effect = fault.action.value
    if fault.operations == {HANDSHAKE}:
        effect = "refused"
    elif fault.action is Action.ANSWER:
        effect = str(fault.status)
    elif fault.action is Action.PASS:
        effect = f"late, by {fault.delay:g} s"
    return {
        "id": armed.fault_id,
        "operation": ", ".join(sorted(fault.operations)) or fault.path or "any",
        "effect": effect,
        "left": armed.remaining,
    }


def _role_assignment(
    assignment: RoleAssignment, names: Mapping[str, str], *, enabled: bool
) -> dict[str, Any]:
    return {
        "id": assignment.name,
        "role": assignment.role.name,
        "principal": names.get(assignment.principal_id, "principal"),
        "principalId": assignment.principal_id,
        "scope": assignment.scope,
        "enabled": enabled,
    }


def _asset(name: str) -> str:
    return (files(__name__) / name).read_text(encoding="utf-8")
