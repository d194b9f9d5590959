"""The operations of the service's data plane, in one table.

Paths, methods, statuses and codes are those of the REST API reference; the data actions are those
of the Azure permissions reference. `api_version` is the oldest version that has the operation.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from shared.retry import Repeatable

__all__ = ["Operation"]

_HUB: Final = "/api/hubs/{hub}"
_CONNECTION: Final = f"{_HUB}/connections/{{connection}}"
_GROUP: Final = f"{_HUB}/groups/{{group}}"
_USER: Final = f"{_HUB}/users/{{user}}"
_STREAM: Final = f"{_CONNECTION}/streams/{{stream}}"

_OK: Final = HTTPStatus.OK
_ACCEPTED: Final = HTTPStatus.ACCEPTED
_NO_CONTENT: Final = HTTPStatus.NO_CONTENT

_NO_CONNECTION: Final = frozenset({"warning.connection.notexisted", "error.connection.notexisted"})
_NO_GROUP: Final = frozenset({"warning.group.notexisted"})
_NO_USER: Final = frozenset({"warning.user.notexisted"})
_NOT_IN_GROUP: Final = frozenset({"info.user.notingroup"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table.

    Args:
        method: HTTP method.
        path: Path template: names in braces are filled with percent-encoded values.
        success: Status that means that it is done.
        permission: Data action that the principal needs, after `Microsoft.SignalRService/SignalR/`;
            empty for an operation that needs no token.
        repeatable: How much doing it twice matters.
        absent: Values of `x-ms-error-code`, in lower case, with which a 404 says that there is no
            such connection, group or user. Any other 404 is an error.
        api_version: The oldest version of the REST API that has it; empty for paths without one.
    """

    method: str
    path: str
    success: int
    permission: str
    repeatable: Repeatable = Repeatable.ALWAYS
    absent: frozenset[str] = frozenset()
    api_version: str = "2022-06-01"


ACCESS_KEY: Final = Operation(
    # The SDK for .NET asks at this path, which names no version.
    "GET", "/api/v1/auth/accessKey", _OK, "auth/accessKey/action", api_version="",
)  # fmt: skip
HEALTH: Final = Operation("HEAD", "/api/health", _OK, "")
GENERATE_TOKEN: Final = Operation(
    "POST", f"{_HUB}/:generateToken", _OK, "auth/clientToken/action", api_version="2022-11-01",
)  # fmt: skip

SEND_TO_ALL: Final = Operation(
    "POST", f"{_HUB}/:send", _ACCEPTED, "hub/send/action", Repeatable.WHEN_REFUSED
)
SEND_TO_USER: Final = Operation(
    "POST", f"{_USER}/:send", _ACCEPTED, "user/send/action", Repeatable.WHEN_REFUSED
)
SEND_TO_GROUP: Final = Operation(
    "POST", f"{_GROUP}/:send", _ACCEPTED, "group/send/action", Repeatable.WHEN_REFUSED
)
SEND_TO_CONNECTION: Final = Operation(
    "POST", f"{_CONNECTION}/:send", _ACCEPTED, "clientConnection/send/action",
    Repeatable.WHEN_REFUSED,
)  # fmt: skip
INVOKE_CONNECTION: Final = Operation(
    "POST", f"{_CONNECTION}/:invoke", _OK, "clientConnection/send/action",
    Repeatable.WHEN_REFUSED, api_version="2024-12-01",
)  # fmt: skip
SEND_STREAM_ITEM: Final = Operation(
    "POST", f"{_STREAM}/:send", _ACCEPTED, "clientConnection/send/action",
    Repeatable.WHEN_REFUSED, api_version="2024-12-01",
)  # fmt: skip
COMPLETE_STREAM: Final = Operation(
    "POST", f"{_STREAM}/:complete", _ACCEPTED, "clientConnection/send/action",
    Repeatable.WHEN_REFUSED, api_version="2024-12-01",
)  # fmt: skip
EXECUTE: Final = Operation(
    "POST", f"{_HUB}/:execute", _ACCEPTED, "clientConnection/write",
    Repeatable.WHEN_REFUSED, api_version="2023-07-01",
)  # fmt: skip

CLOSE_CONNECTION: Final = Operation(
    "DELETE", _CONNECTION, _OK, "clientConnection/write", absent=_NO_CONNECTION
)
CLOSE_ALL_CONNECTIONS: Final = Operation(
    "POST", f"{_HUB}/:closeConnections", _NO_CONTENT, "clientConnection/write"
)
CLOSE_GROUP_CONNECTIONS: Final = Operation(
    "POST", f"{_GROUP}/:closeConnections", _NO_CONTENT, "clientConnection/write"
)
CLOSE_USER_CONNECTIONS: Final = Operation(
    "POST", f"{_USER}/:closeConnections", _NO_CONTENT, "clientConnection/write"
)

CONNECTION_EXISTS: Final = Operation(
    "HEAD", _CONNECTION, _OK, "clientConnection/read", absent=_NO_CONNECTION
)
GROUP_EXISTS: Final = Operation("HEAD", _GROUP, _OK, "group/read", absent=_NO_GROUP)
USER_EXISTS: Final = Operation("HEAD", _USER, _OK, "user/read", absent=_NO_USER)
USER_IN_GROUP: Final = Operation(
    "HEAD", f"{_USER}/groups/{{group}}", _OK, "group/read", absent=_NOT_IN_GROUP | _NO_USER
)
LIST_CONNECTIONS_IN_GROUP: Final = Operation(
    "GET", f"{_GROUP}/connections", _OK, "group/read", api_version="2024-12-01"
)

ADD_CONNECTION_TO_GROUP: Final = Operation(
    "PUT", f"{_GROUP}/connections/{{connection}}", _OK, "group/write", absent=_NO_CONNECTION
)
REMOVE_CONNECTION_FROM_GROUP: Final = Operation(
    "DELETE", f"{_GROUP}/connections/{{connection}}", _OK, "group/write", absent=_NO_CONNECTION
)
REMOVE_CONNECTION_FROM_ALL_GROUPS: Final = Operation(
    "DELETE", f"{_CONNECTION}/groups", _OK, "group/write", absent=_NO_CONNECTION
)
ADD_USER_TO_GROUP: Final = Operation("PUT", f"{_USER}/groups/{{group}}", _OK, "group/write")
REMOVE_USER_FROM_GROUP: Final = Operation(
    "DELETE", f"{_USER}/groups/{{group}}", _NO_CONTENT, "group/write"
)
REMOVE_USER_FROM_ALL_GROUPS: Final = Operation(
    "DELETE", f"{_USER}/groups", _NO_CONTENT, "group/write"
)
