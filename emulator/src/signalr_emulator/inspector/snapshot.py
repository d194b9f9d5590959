"""Who is connected, who may do what, and what is disturbed: what the page shows at present."""

from collections.abc import Mapping
from typing import Any, Final

from ..access_control.filters import DefinitionFilter
from ..access_control.roles import RoleAssignment
from ..clients.hubs import Hub, Member
from ..faults.disturbances import HANDSHAKE
from ..faults.middleware import OPERATION_NAMES
from ..faults.rules import Action, Armed
from ..server_connections.client import RelayedClient
from ..server_connections.live import ServerConnection
from ..state.resource import Resource
from ..state.service import Service

__all__ = ["names", "snapshot"]

_MOST_USED: Final = (
    "sendToHub",
    "sendToUser",
    "sendToGroup",
    "sendToConnection",
    "getAccessKey",
    "identity",
    "negotiate",
    "connect",
)
"""What people disturb first."""

_MOST_CONNECTIONS = 200
"""Connections of a hub that are listed; the others are only counted. So for app servers."""

_CLIENTS_MOVE = {0: "never", 1: "when it shuts down"}
"""When clients may move to another server, by migration level."""


def snapshot(service: Service) -> dict[str, Any]:
    """Give what the page shows, as JSON values; the same as long as nothing changes."""
    named = names(service)
    return {
        "offset": service.clock.offset,
        "resources": [_resource(each) for each in service.resources],
        "roleAssignments": [
            _role_assignment(each, named, enabled=service.role_assignments.is_on(each))
            for each in service.role_assignments.assignments
        ],
        "roles": [
            {"name": role.name, "isCustom": role.is_custom}
            for role in service.roles.definitions(
                service.first.config.resource_id, DefinitionFilter()
            )
        ],
        "principals": [{"id": principal_id, "name": name} for principal_id, name in named.items()],
        "operations": _operations(),
        "mostUsedOperations": len(_MOST_USED),
        "faults": [_fault(each) for each in service.faults.all()],
    }


def _operations() -> list[str]:
    """Give the names that a fault can have, the most used first."""
    return [*_MOST_USED, *sorted(OPERATION_NAMES - {*_MOST_USED})]


def names(service: Service) -> Mapping[str, str]:
    """Give what a person calls the principals that are known here, by their ids."""
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
    assignment: RoleAssignment, named: Mapping[str, str], *, enabled: bool
) -> dict[str, Any]:
    return {
        "id": assignment.name,
        "role": assignment.role.name,
        "principal": named.get(assignment.principal_id, "principal"),
        "principalId": assignment.principal_id,
        "scope": assignment.scope,
        "enabled": enabled,
    }
