"""The operations of the data plane in one table: method, path, API versions, data action, success.

Sources: swagger of the REST data plane (v1-preview, v1, 2022-06-01 to 2024-12-01);
Azure/azure-signalr, issues 2277 and 2281 (2026-07-01); data actions from the Azure permissions
reference. Where no document names the data action, docs/fidelity.md says so.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum
from http import HTTPStatus

__all__ = [
    "API_VERSIONS",
    "HEALTH_PATHS",
    "OPERATIONS",
    "PREFIX",
    "READS",
    "DataAction",
    "Operation",
    "Task",
]

API_VERSIONS = ("2022-06-01", "2022-11-01", "2023-07-01", "2024-12-01", "2026-07-01")
"""Known versions, the oldest first."""

_VERSIONS_SINCE: dict[str | None, tuple[str, ...]] = {
    None: (),
    **{since: API_VERSIONS[place:] for place, since in enumerate(API_VERSIONS)},
}

_SIGNALR = "Microsoft.SignalRService/SignalR"


class DataAction(StrEnum):
    """The data actions that operations and server connections need."""

    ACCESS_KEY = f"{_SIGNALR}/auth/accessKey/action"
    CLIENT_TOKEN = f"{_SIGNALR}/auth/clientToken/action"
    CONNECTION_READ = f"{_SIGNALR}/clientConnection/read"
    CONNECTION_SEND = f"{_SIGNALR}/clientConnection/send/action"
    CONNECTION_WRITE = f"{_SIGNALR}/clientConnection/write"
    GROUP_READ = f"{_SIGNALR}/group/read"
    GROUP_SEND = f"{_SIGNALR}/group/send/action"
    GROUP_WRITE = f"{_SIGNALR}/group/write"
    HUB_SEND = f"{_SIGNALR}/hub/send/action"
    SERVER_CONNECTION = f"{_SIGNALR}/serverConnection/write"
    USER_READ = f"{_SIGNALR}/user/read"
    USER_SEND = f"{_SIGNALR}/user/send/action"


class Task(Enum):
    """What an operation does, whatever the path style that asks for it."""

    GET_ACCESS_KEY = "getAccessKey"
    GENERATE_TOKEN = "generateToken"  # noqa: S105 - the operation's name
    SEND_TO_HUB = "sendToHub"
    SEND_TO_USER = "sendToUser"
    SEND_TO_USERS = "sendToUsers"
    SEND_TO_GROUP = "sendToGroup"
    SEND_TO_GROUPS = "sendToGroups"
    SEND_TO_CONNECTION = "sendToConnection"
    INVOKE_CONNECTION = "invokeConnection"
    SEND_STREAM_ITEM = "sendStreamItem"
    COMPLETE_STREAM = "completeStream"
    EXECUTE = "execute"
    CLOSE_HUB_CONNECTIONS = "closeHubConnections"
    CLOSE_USER_CONNECTIONS = "closeUserConnections"
    CLOSE_GROUP_CONNECTIONS = "closeGroupConnections"
    CLOSE_CONNECTION = "closeConnection"
    REFRESH_AUTHENTICATION = "refreshAuth"
    CONNECTION_CLAIMS = "connectionClaims"
    CONNECTION_EXISTS = "connectionExists"
    USER_EXISTS = "userExists"
    GROUP_EXISTS = "groupExists"
    USER_IN_GROUP = "userInGroup"
    LIST_GROUP_CONNECTIONS = "listGroupConnections"
    ADD_CONNECTION_TO_GROUP = "addConnectionToGroup"
    REMOVE_CONNECTION_FROM_GROUP = "removeConnectionFromGroup"
    REMOVE_CONNECTION_FROM_ALL_GROUPS = "removeConnectionFromAllGroups"
    ADD_USER_TO_GROUP = "addUserToGroup"
    REMOVE_USER_FROM_GROUP = "removeUserFromGroup"
    REMOVE_USER_FROM_ALL_GROUPS = "removeUserFromAllGroups"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the REST data plane.

    Attributes:
        task: What it does.
        method: HTTP method.
        path: Path with its parameters in braces.
        data_action: What the caller has to be permitted; None where the body decides.
        success: Status of the answer when it is done.
        since: First API version that has it; None where the path has the version in it.
    """

    task: Task
    method: str
    path: str
    data_action: DataAction | None
    success: HTTPStatus = HTTPStatus.OK
    since: str | None = API_VERSIONS[0]

    @property
    def api_versions(self) -> tuple[str, ...]:
        """Acceptable values of `api-version`; empty where the parameter is not used."""
        return _VERSIONS_SINCE[self.since]


_OK = HTTPStatus.OK
_ACCEPTED = HTTPStatus.ACCEPTED
_NO_CONTENT = HTTPStatus.NO_CONTENT

_HUB = "/api/hubs/{hub}"
_CONNECTION = f"{_HUB}/connections/{{connection}}"
_USER = f"{_HUB}/users/{{user}}"
_GROUP = f"{_HUB}/groups/{{group}}"
_STREAM = f"{_CONNECTION}/streams/{{stream}}"
_USER_GROUP = f"{_USER}/groups/{{group}}"
_GROUP_CONNECTION = f"{_GROUP}/connections/{{connection}}"

_V1_HUB = "/api/v1/hubs/{hub}"
_V1_CONNECTION = f"{_V1_HUB}/connections/{{connection}}"
_V1_USER = f"{_V1_HUB}/users/{{user}}"
_V1_GROUP = f"{_V1_HUB}/groups/{{group}}"
_V1_GROUP_CONNECTION = f"{_V1_GROUP}/connections/{{connection}}"
_V1_USER_GROUPS = (f"{_V1_GROUP}/users/{{user}}", f"{_V1_USER}/groups/{{group}}")
"""The swagger of v1 has the first spelling only, the official emulator both."""

_PREVIEW_HUB = "/api/v1-preview/hub/{hub}"

PREFIX = "/api"
"""What all paths begin with."""

HEALTH_PATHS = ("/api/health", "/api/v1/health")
"""Where the health check is, which needs no token and no `api-version`."""

_QUERIES = ("QUERY", "POST")
"""The tests of the .NET SDK read claims with the former (RFC 10008), its issue names the latter."""

READS = ("HEAD", "GET")
"""The swagger names HEAD; the .NET SDK asks with GET whether a user is in a group."""


def _row(
    task: Task,
    route: str,
    data_action: DataAction | None,
    success: HTTPStatus = _OK,
    *,
    since: str = API_VERSIONS[0],
) -> Operation:
    method, path = route.split(" ")
    return Operation(task, method, path, data_action, success, since)


def _v1(task: Task, route: str, data_action: DataAction, success: HTTPStatus = _OK) -> Operation:
    method, path = route.split(" ")
    return Operation(task, method, path, data_action, success, since=None)


_KEYS_AND_TOKENS = (
    _v1(Task.GET_ACCESS_KEY, "GET /api/v1/auth/accessKey", DataAction.ACCESS_KEY),
    _row(Task.GET_ACCESS_KEY, "GET /api/auth/accessKey", DataAction.ACCESS_KEY, since="2023-07-01"),
    _row(
        Task.GENERATE_TOKEN,
        f"POST {_HUB}/:generateToken",
        DataAction.CLIENT_TOKEN,
        since="2022-11-01",
    ),
)

_MESSAGES = (
    _row(Task.SEND_TO_HUB, f"POST {_HUB}/:send", DataAction.HUB_SEND, _ACCEPTED),
    _row(Task.SEND_TO_USER, f"POST {_USER}/:send", DataAction.USER_SEND, _ACCEPTED),
    _row(Task.SEND_TO_GROUP, f"POST {_GROUP}/:send", DataAction.GROUP_SEND, _ACCEPTED),
    _row(
        Task.SEND_TO_CONNECTION, f"POST {_CONNECTION}/:send", DataAction.CONNECTION_SEND, _ACCEPTED
    ),
    _row(
        Task.INVOKE_CONNECTION,
        f"POST {_CONNECTION}/:invoke",
        DataAction.CONNECTION_SEND,
        since="2024-12-01",
    ),
    _row(
        Task.SEND_STREAM_ITEM,
        f"POST {_STREAM}/:send",
        DataAction.CONNECTION_SEND,
        _ACCEPTED,
        since="2024-12-01",
    ),
    _row(
        Task.COMPLETE_STREAM,
        f"POST {_STREAM}/:complete",
        DataAction.CONNECTION_SEND,
        _ACCEPTED,
        since="2024-12-01",
    ),
    _row(Task.EXECUTE, f"POST {_HUB}/:execute", None, _ACCEPTED, since="2023-07-01"),
)

_CONNECTIONS = (
    _row(
        Task.CLOSE_HUB_CONNECTIONS,
        f"POST {_HUB}/:closeConnections",
        DataAction.CONNECTION_WRITE,
        _NO_CONTENT,
    ),
    _row(
        Task.CLOSE_USER_CONNECTIONS,
        f"POST {_USER}/:closeConnections",
        DataAction.CONNECTION_WRITE,
        _NO_CONTENT,
    ),
    _row(
        Task.CLOSE_GROUP_CONNECTIONS,
        f"POST {_GROUP}/:closeConnections",
        DataAction.CONNECTION_WRITE,
        _NO_CONTENT,
    ),
    _row(Task.CLOSE_CONNECTION, f"DELETE {_CONNECTION}", DataAction.CONNECTION_WRITE),
    _row(
        Task.REFRESH_AUTHENTICATION,
        f"POST {_HUB}/connections/:refreshAuth",
        DataAction.CONNECTION_WRITE,
        since="2026-07-01",
    ),
    *(
        _row(
            Task.CONNECTION_CLAIMS,
            f"{method} {_HUB}/connections/claims",
            DataAction.CONNECTION_READ,
            since="2026-07-01",
        )
        for method in _QUERIES
    ),
    *(
        _row(Task.CONNECTION_EXISTS, f"{method} {_CONNECTION}", DataAction.CONNECTION_READ)
        for method in READS
    ),
    *(_row(Task.USER_EXISTS, f"{method} {_USER}", DataAction.USER_READ) for method in READS),
    *(_row(Task.GROUP_EXISTS, f"{method} {_GROUP}", DataAction.GROUP_READ) for method in READS),
)

_GROUPS = (
    _row(
        Task.LIST_GROUP_CONNECTIONS,
        f"GET {_GROUP}/connections",
        DataAction.GROUP_READ,
        since="2024-12-01",
    ),
    _row(Task.ADD_CONNECTION_TO_GROUP, f"PUT {_GROUP_CONNECTION}", DataAction.GROUP_WRITE),
    _row(Task.REMOVE_CONNECTION_FROM_GROUP, f"DELETE {_GROUP_CONNECTION}", DataAction.GROUP_WRITE),
    _row(
        Task.REMOVE_CONNECTION_FROM_ALL_GROUPS,
        f"DELETE {_CONNECTION}/groups",
        DataAction.GROUP_WRITE,
    ),
    *(
        _row(Task.USER_IN_GROUP, f"{method} {_USER_GROUP}", DataAction.GROUP_READ)
        for method in READS
    ),
    _row(Task.ADD_USER_TO_GROUP, f"PUT {_USER_GROUP}", DataAction.GROUP_WRITE),
    _row(Task.REMOVE_USER_FROM_GROUP, f"DELETE {_USER_GROUP}", DataAction.GROUP_WRITE, _NO_CONTENT),
    _row(
        Task.REMOVE_USER_FROM_ALL_GROUPS,
        f"DELETE {_USER}/groups",
        DataAction.GROUP_WRITE,
        _NO_CONTENT,
    ),
)

_V1 = (
    _v1(Task.SEND_TO_HUB, f"POST {_V1_HUB}", DataAction.HUB_SEND, _ACCEPTED),
    _v1(Task.SEND_TO_USER, f"POST {_V1_USER}", DataAction.USER_SEND, _ACCEPTED),
    _v1(Task.SEND_TO_GROUP, f"POST {_V1_GROUP}", DataAction.GROUP_SEND, _ACCEPTED),
    _v1(Task.SEND_TO_CONNECTION, f"POST {_V1_CONNECTION}", DataAction.CONNECTION_SEND, _ACCEPTED),
    _v1(Task.CLOSE_CONNECTION, f"DELETE {_V1_CONNECTION}", DataAction.CONNECTION_WRITE, _ACCEPTED),
    *(
        _v1(task, f"{method} {path}", data_action)
        for task, path, data_action in (
            (Task.CONNECTION_EXISTS, _V1_CONNECTION, DataAction.CONNECTION_READ),
            (Task.USER_EXISTS, _V1_USER, DataAction.USER_READ),
            (Task.GROUP_EXISTS, _V1_GROUP, DataAction.GROUP_READ),
            *((Task.USER_IN_GROUP, path, DataAction.GROUP_READ) for path in _V1_USER_GROUPS),
        )
        for method in READS
    ),
    _v1(Task.ADD_CONNECTION_TO_GROUP, f"PUT {_V1_GROUP_CONNECTION}", DataAction.GROUP_WRITE),
    _v1(
        Task.REMOVE_CONNECTION_FROM_GROUP, f"DELETE {_V1_GROUP_CONNECTION}", DataAction.GROUP_WRITE
    ),
    *(
        _v1(task, f"{method} {path}", DataAction.GROUP_WRITE, _ACCEPTED)
        for task, method in (
            (Task.ADD_USER_TO_GROUP, "PUT"),
            (Task.REMOVE_USER_FROM_GROUP, "DELETE"),
        )
        for path in _V1_USER_GROUPS
    ),
    _v1(Task.REMOVE_USER_FROM_ALL_GROUPS, f"DELETE {_V1_USER}/groups", DataAction.GROUP_WRITE),
)

_PREVIEW = (
    _v1(Task.SEND_TO_HUB, f"POST {_PREVIEW_HUB}", DataAction.HUB_SEND, _ACCEPTED),
    _v1(Task.SEND_TO_USER, f"POST {_PREVIEW_HUB}/user/{{user}}", DataAction.USER_SEND, _ACCEPTED),
    _v1(Task.SEND_TO_USERS, f"POST {_PREVIEW_HUB}/users/{{user}}", DataAction.USER_SEND, _ACCEPTED),
    _v1(
        Task.SEND_TO_GROUP, f"POST {_PREVIEW_HUB}/group/{{group}}", DataAction.GROUP_SEND, _ACCEPTED
    ),
    _v1(
        Task.SEND_TO_GROUPS,
        f"POST {_PREVIEW_HUB}/groups/{{group}}",
        DataAction.GROUP_SEND,
        _ACCEPTED,
    ),
)

OPERATIONS = (*_MESSAGES, *_GROUPS, *_CONNECTIONS, *_KEYS_AND_TOKENS, *_V1, *_PREVIEW)
"""Every operation; the health check is none, since nothing about it is checked."""
