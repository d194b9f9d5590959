"""Who may call what: every operation × every role × every level of scope, over the wire."""

from dataclasses import dataclass

import aiohttp
import pytest
from signalr_emulator import Config
from signalr_emulator.access_control.roles import (
    ACCESSKEY_READER,
    APP_SERVER,
    BUILT_IN_ROLES,
    CONTRIBUTOR,
    REST_API_OWNER,
    REST_API_READER,
    SERVICE_OWNER,
    Role,
    RoleAssignment,
)
from signalr_emulator.configuration.settings import SYSTEM_ASSIGNED
from signalr_emulator.operations.table import OPERATIONS, Operation
from signalr_emulator.service_protocol.messages import ConnectionKind

from emulator.tests.bare_server import app_server
from emulator.tests.conftest import StartWire
from emulator.tests.wire import API_VERSION, Wire

SIGNALR = "Microsoft.SignalRService/SignalR"
NO_KEYS_NO_GROUPS = Role(
    "3a5c1b5e-0000-4000-8000-000000000001",
    "All but keys and groups",
    data_actions=(f"{SIGNALR}/*",),
    not_data_actions=(f"{SIGNALR}/auth/*", f"{SIGNALR}/group/*"),
    is_custom=True,
)
ONLY_HUB_SEND = Role(
    "3a5c1b5e-0000-4000-8000-000000000002",
    "Only send to hubs",
    data_actions=(f"{SIGNALR}/hub/send/action",),
    is_custom=True,
)

COLUMNS = (
    SERVICE_OWNER,
    APP_SERVER,
    REST_API_OWNER,
    REST_API_READER,
    CONTRIBUTOR,
    ACCESSKEY_READER,
    NO_KEYS_NO_GROUPS,
    ONLY_HUB_SEND,
)
# An x admits. Columns: Service Owner, App Server, REST API Owner, REST API Reader, Contributor,
# AccessKey Reader, all but keys and groups, only send to hubs.
TABLE = """
GET    /api/v1/auth/accessKey                                       x x . . . . . .
GET    /api/auth/accessKey                                          x x . . . . . .
POST   /api/hubs/{hub}/:generateToken                               x . x . . . . .

POST   /api/hubs/{hub}/:send                                        x . x . . . x x
POST   /api/hubs/{hub}/users/{user}/:send                           x . x . . . x .
POST   /api/hubs/{hub}/groups/{group}/:send                         x . x . . . . .
POST   /api/hubs/{hub}/connections/{connection}/:send               x . x . . . x .
POST   /api/hubs/{hub}/connections/{connection}/:invoke             x . x . . . x .
POST   /api/hubs/{hub}/connections/{connection}/streams/{stream}/:send     x . x . . . x .
POST   /api/hubs/{hub}/connections/{connection}/streams/{stream}/:complete x . x . . . x .
POST   /api/hubs/{hub}/:execute                                     x . x . . . . .

POST   /api/hubs/{hub}/:closeConnections                            x x x . . . x .
POST   /api/hubs/{hub}/users/{user}/:closeConnections               x x x . . . x .
POST   /api/hubs/{hub}/groups/{group}/:closeConnections             x x x . . . x .
DELETE /api/hubs/{hub}/connections/{connection}                     x x x . . . x .
POST   /api/hubs/{hub}/connections/:refreshAuth                     x x x . . . x .
QUERY  /api/hubs/{hub}/connections/claims                           x . x x . . x .
POST   /api/hubs/{hub}/connections/claims                           x . x x . . x .
HEAD   /api/hubs/{hub}/connections/{connection}                     x . x x . . x .
GET    /api/hubs/{hub}/connections/{connection}                     x . x x . . x .
HEAD   /api/hubs/{hub}/users/{user}                                 x . x x . . x .
GET    /api/hubs/{hub}/users/{user}                                 x . x x . . x .
HEAD   /api/hubs/{hub}/groups/{group}                               x . x x . . . .
GET    /api/hubs/{hub}/groups/{group}                               x . x x . . . .

GET    /api/hubs/{hub}/groups/{group}/connections                   x . x x . . . .
PUT    /api/hubs/{hub}/groups/{group}/connections/{connection}      x . x . . . . .
DELETE /api/hubs/{hub}/groups/{group}/connections/{connection}      x . x . . . . .
DELETE /api/hubs/{hub}/connections/{connection}/groups              x . x . . . . .
HEAD   /api/hubs/{hub}/users/{user}/groups/{group}                  x . x x . . . .
GET    /api/hubs/{hub}/users/{user}/groups/{group}                  x . x x . . . .
PUT    /api/hubs/{hub}/users/{user}/groups/{group}                  x . x . . . . .
DELETE /api/hubs/{hub}/users/{user}/groups/{group}                  x . x . . . . .
DELETE /api/hubs/{hub}/users/{user}/groups                          x . x . . . . .

POST   /api/v1/hubs/{hub}                                           x . x . . . x x
POST   /api/v1/hubs/{hub}/users/{user}                              x . x . . . x .
POST   /api/v1/hubs/{hub}/groups/{group}                            x . x . . . . .
POST   /api/v1/hubs/{hub}/connections/{connection}                  x . x . . . x .
DELETE /api/v1/hubs/{hub}/connections/{connection}                  x x x . . . x .
HEAD   /api/v1/hubs/{hub}/connections/{connection}                  x . x x . . x .
GET    /api/v1/hubs/{hub}/connections/{connection}                  x . x x . . x .
HEAD   /api/v1/hubs/{hub}/users/{user}                              x . x x . . x .
GET    /api/v1/hubs/{hub}/users/{user}                              x . x x . . x .
HEAD   /api/v1/hubs/{hub}/groups/{group}                            x . x x . . . .
GET    /api/v1/hubs/{hub}/groups/{group}                            x . x x . . . .
HEAD   /api/v1/hubs/{hub}/groups/{group}/users/{user}               x . x x . . . .
GET    /api/v1/hubs/{hub}/groups/{group}/users/{user}               x . x x . . . .
HEAD   /api/v1/hubs/{hub}/users/{user}/groups/{group}               x . x x . . . .
GET    /api/v1/hubs/{hub}/users/{user}/groups/{group}               x . x x . . . .
PUT    /api/v1/hubs/{hub}/groups/{group}/connections/{connection}   x . x . . . . .
DELETE /api/v1/hubs/{hub}/groups/{group}/connections/{connection}   x . x . . . . .
PUT    /api/v1/hubs/{hub}/groups/{group}/users/{user}               x . x . . . . .
DELETE /api/v1/hubs/{hub}/groups/{group}/users/{user}               x . x . . . . .
PUT    /api/v1/hubs/{hub}/users/{user}/groups/{group}               x . x . . . . .
DELETE /api/v1/hubs/{hub}/users/{user}/groups/{group}               x . x . . . . .
DELETE /api/v1/hubs/{hub}/users/{user}/groups                       x . x . . . . .

POST   /api/v1-preview/hub/{hub}                                    x . x . . . x x
POST   /api/v1-preview/hub/{hub}/user/{user}                        x . x . . . x .
POST   /api/v1-preview/hub/{hub}/users/{user}                       x . x . . . x .
POST   /api/v1-preview/hub/{hub}/group/{group}                      x . x . . . . .
POST   /api/v1-preview/hub/{hub}/groups/{group}                     x . x . . . . .
"""

ADMITTED_SERVERS = frozenset((SERVICE_OWNER, APP_SERVER, NO_KEYS_NO_GROUPS))
"""Who may open a server connection."""

RESOURCE = Config().resource_id
LEVELS = {
    "management group": (Config().management_group, True),
    "subscription": (Config().subscription, True),
    "resource group": (RESOURCE.partition("/providers/")[0], True),
    "resource": (RESOURCE, True),
    "sibling": (f"{RESOURCE}-2", False),
    "sibling with the beginning of the name": (RESOURCE[:-1], False),
}
"""A scope of each level, and whether what is assigned there counts for the resource."""

BODIES = {"/api/hubs/{hub}/:execute": b'[{"type": "JoinGroup", "group": "g"}]'}
"""Where the body decides about the data action. Other operations are admitted without one."""


@dataclass(frozen=True, slots=True)
class Row:
    """Which roles an operation admits."""

    operation: str
    admitted: frozenset[Role]

    @classmethod
    def parse(cls, line: str) -> "Row":
        method, path, *marks = line.split()
        admitted = (role for role, mark in zip(COLUMNS, marks, strict=True) if mark == "x")
        return cls(f"{method} {path}", frozenset(admitted))


ADMITTED = {row.operation: row.admitted for row in map(Row.parse, filter(None, TABLE.splitlines()))}


def named(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def test_table_is_complete() -> None:
    missing = [named(operation) for operation in OPERATIONS if named(operation) not in ADMITTED]
    assert not missing, f"Say in TABLE of {__name__} which roles these operations admit: {missing}"
    stale = set(ADMITTED) - {named(operation) for operation in OPERATIONS}
    assert not stale, f"These operations of TABLE are gone: {stale}"
    assert set(BUILT_IN_ROLES.values()) <= set(COLUMNS), "TABLE needs a column for each role"


async def call(wire: Wire, operation: Operation) -> int:
    path = operation.path.format(hub="h", user="u", group="g", connection="c", stream="s")
    query = f"?api-version={API_VERSION}" if operation.api_versions else ""
    body = BODIES.get(operation.path, b"") if operation.method == "POST" else None
    answer = await wire.rest(operation.method, path + query, data=body)
    return answer.status


@pytest.mark.parametrize("level", LEVELS)
async def test_every_operation_by_every_role(start: StartWire, level: str) -> None:
    scope, counts = LEVELS[level]
    wrong: list[str] = []
    async with start(Config(service_port=0, control_port=0, role=None)) as wire:
        assignments = wire.emulator.service.role_assignments.assignments
        for role in COLUMNS:
            assignments[:] = [RoleAssignment(SYSTEM_ASSIGNED.principal_id, role, scope)]
            for operation in OPERATIONS:
                status = await call(wire, operation)
                # Whether there is such a connection, and what is wrong with the body, only those
                # learn who are admitted.
                expected = counts and role in ADMITTED[named(operation)]
                is_as_expected = status in {200, 202, 204, 400, 404} if expected else status == 403
                if not is_as_expected:
                    wrong.append(f"{named(operation)} as {role.name}: {status}")
    assert wrong == []


async def connects(wire: Wire) -> bool:
    """Tell whether a server connection is admitted; else it is refused for want of a role."""
    try:
        async with app_server(wire, kind=ConnectionKind.WEAK):
            return True
    except aiohttp.WSServerHandshakeError as error:
        assert error.status == 403
        return False


@pytest.mark.parametrize("level", LEVELS)
async def test_server_connections_by_every_role(start: StartWire, level: str) -> None:
    scope, counts = LEVELS[level]
    async with start(Config(service_port=0, control_port=0, role=None)) as wire:
        assignments = wire.emulator.service.role_assignments.assignments
        for role in COLUMNS:
            assignments[:] = [RoleAssignment(SYSTEM_ASSIGNED.principal_id, role, scope)]
            assert await connects(wire) is (counts and role in ADMITTED_SERVERS), role.name


async def test_nobody_is_admitted_without_a_role(start: StartWire) -> None:
    async with start(Config(service_port=0, control_port=0, role=None)) as wire:
        assert {await call(wire, operation) for operation in OPERATIONS} == {403}
        assert not await connects(wire)
