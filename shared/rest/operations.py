"""The operations of the service's data plane, in one table.

Paths, methods, queries, statuses and codes are those of the REST API reference; the data actions
are those of the Azure permissions reference. `api_version` is the oldest that has the operation.
"""

from http import HTTPStatus
from typing import Final, NamedTuple

from .retry import Repeatable

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
_NO_TOKEN: Final = frozenset({"connectionnotfound"}) | _NO_CONNECTION


class Operation(NamedTuple):
    """One row of the table.

    Args:
        name: What the clients call it, which is also its name in telemetry.
        method: HTTP method.
        path: Path template: names in braces are filled with percent-encoded values.
        success: Status that the documents name for it being done. Any 2xx means that.
        permission: Data action that the principal needs, after `Microsoft.SignalRService/SignalR/`;
            empty for an operation that needs no token.
        repeatable: How much doing it twice matters.
        query: Names of its query parameters beside `api-version` and `application`.
        body: Whether it has a JSON body.
        absent: Values of `x-ms-error-code`, in lower case, with which a 404 says that there is no
            such connection, group or user. Any other 404 is an error.
        needs_connection: Whether such a 404 is an error; else it is an answer.
        api_version: The oldest version of the REST API that has it; empty for paths without one.
        takes_application: Whether it has the query parameter `application`.
    """

    name: str
    method: str
    path: str
    success: int
    permission: str
    repeatable: Repeatable = Repeatable.ALWAYS
    query: tuple[str, ...] = ()
    body: bool = False
    absent: frozenset[str] = frozenset()
    needs_connection: bool = False
    api_version: str = "2022-06-01"
    takes_application: bool = True

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of its query parameters with `application`, where it has that."""
        return ("application", *self.query) if self.takes_application else self.query


def _message(
    name: str, path: str, data_action: str, *query: str, api_version: str = "2022-06-01"
) -> Operation:
    """Return an operation that brings something to clients, so that twice is once too often."""
    return Operation(
        name, "POST", path, _ACCEPTED, data_action,
        Repeatable.WHEN_REFUSED, query, body=True, api_version=api_version,
    )  # fmt: skip


ACCESS_KEY: Final = Operation(
    # The SDK for .NET asks at this path, which names no version.
    "access_key", "GET", "/api/v1/auth/accessKey", _OK, "auth/accessKey/action", api_version="",
    takes_application=False,
)  # fmt: skip
HEALTH: Final = Operation(
    "service_is_healthy", "HEAD", "/api/health", _OK, "", takes_application=False
)
GENERATE_TOKEN: Final = Operation(
    "generate_client_token", "POST", f"{_HUB}/:generateToken", _OK, "auth/clientToken/action",
    query=("userId", "minutesToExpire"), api_version="2022-11-01", takes_application=False,
)  # fmt: skip

SEND_TO_ALL: Final = _message("send_to_all", f"{_HUB}/:send", "hub/send/action", "excluded")
SEND_TO_USER: Final = _message("send_to_user", f"{_USER}/:send", "user/send/action")
SEND_TO_GROUP: Final = _message("send_to_group", f"{_GROUP}/:send", "group/send/action", "excluded")
SEND_TO_CONNECTION: Final = _message(
    "send_to_connection", f"{_CONNECTION}/:send", "clientConnection/send/action"
)
INVOKE_CONNECTION: Final = Operation(
    "invoke_connection", "POST", f"{_CONNECTION}/:invoke", _OK, "clientConnection/send/action",
    Repeatable.WHEN_REFUSED, body=True,
    absent=_NO_CONNECTION, needs_connection=True, api_version="2024-12-01",
)  # fmt: skip
SEND_STREAM_ITEM: Final = Operation(
    "send_stream_item", "POST", f"{_STREAM}/:send", _ACCEPTED, "clientConnection/send/action",
    Repeatable.WHEN_REFUSED, ("completed",), body=True,
    absent=_NO_CONNECTION, needs_connection=True, api_version="2024-12-01",
)  # fmt: skip
COMPLETE_STREAM: Final = Operation(
    "complete_stream", "POST", f"{_STREAM}/:complete", _ACCEPTED, "clientConnection/send/action",
    Repeatable.WHEN_REFUSED, ("reason",),
    absent=_NO_CONNECTION, needs_connection=True, api_version="2024-12-01",
)  # fmt: skip
EXECUTE: Final = _message(
    "execute", f"{_HUB}/:execute", "clientConnection/write", "filter", api_version="2023-07-01"
)._replace(takes_application=False)

CLOSE_CONNECTION: Final = Operation(
    "close_connection", "DELETE", _CONNECTION, _OK, "clientConnection/write",
    query=("reason",), absent=_NO_CONNECTION,
)  # fmt: skip
CLOSE_ALL_CONNECTIONS: Final = Operation(
    "close_all_connections", "POST", f"{_HUB}/:closeConnections", _NO_CONTENT,
    "clientConnection/write", query=("excluded", "reason"),
)  # fmt: skip
CLOSE_GROUP_CONNECTIONS: Final = Operation(
    "close_group_connections", "POST", f"{_GROUP}/:closeConnections", _NO_CONTENT,
    "clientConnection/write", query=("excluded", "reason"),
)  # fmt: skip
CLOSE_USER_CONNECTIONS: Final = Operation(
    "close_user_connections", "POST", f"{_USER}/:closeConnections", _NO_CONTENT,
    "clientConnection/write", query=("excluded", "reason"),
)  # fmt: skip

# No OpenAPI file has these two: Azure/azure-signalr #2261 and #2277; QUERY is RFC 10008.
REFRESH_AUTH: Final = Operation(
    "refresh_connection_authentication", "POST", f"{_HUB}/connections/:refreshAuth", _OK,
    "clientConnection/write", body=True,
    absent=_NO_TOKEN, needs_connection=True, api_version="2026-07-01",
)  # fmt: skip
CONNECTION_CLAIMS: Final = Operation(
    "connection_claims", "QUERY", f"{_HUB}/connections/claims", _OK,
    "clientConnection/read", body=True,
    absent=_NO_TOKEN, needs_connection=True, api_version="2026-07-01",
)  # fmt: skip

CONNECTION_EXISTS: Final = Operation(
    "connection_exists", "HEAD", _CONNECTION, _OK, "clientConnection/read", absent=_NO_CONNECTION
)
GROUP_EXISTS: Final = Operation(
    "group_exists", "HEAD", _GROUP, _OK, "group/read", absent=_NO_GROUP
)  # fmt: skip
USER_EXISTS: Final = Operation("user_exists", "HEAD", _USER, _OK, "user/read", absent=_NO_USER)
USER_IN_GROUP: Final = Operation(
    "user_in_group", "HEAD", f"{_USER}/groups/{{group}}", _OK, "group/read",
    absent=_NOT_IN_GROUP | _NO_USER,
)  # fmt: skip
LIST_CONNECTIONS_IN_GROUP: Final = Operation(
    "list_connections_in_group", "GET", f"{_GROUP}/connections", _OK, "group/read",
    query=("maxpagesize", "top", "continuationToken"), api_version="2024-12-01",
)  # fmt: skip

ADD_CONNECTION_TO_GROUP: Final = Operation(
    "add_connection_to_group", "PUT", f"{_GROUP}/connections/{{connection}}", _OK, "group/write",
    absent=_NO_CONNECTION, needs_connection=True,
)  # fmt: skip
REMOVE_CONNECTION_FROM_GROUP: Final = Operation(
    "remove_connection_from_group", "DELETE", f"{_GROUP}/connections/{{connection}}", _OK,
    "group/write", absent=_NO_CONNECTION,
)  # fmt: skip
REMOVE_CONNECTION_FROM_ALL_GROUPS: Final = Operation(
    "remove_connection_from_all_groups", "DELETE", f"{_CONNECTION}/groups", _OK, "group/write",
    absent=_NO_CONNECTION,
)  # fmt: skip
ADD_USER_TO_GROUP: Final = Operation(
    "add_user_to_group", "PUT", f"{_USER}/groups/{{group}}", _OK, "group/write", query=("ttl",)
)
REMOVE_USER_FROM_GROUP: Final = Operation(
    "remove_user_from_group", "DELETE", f"{_USER}/groups/{{group}}", _NO_CONTENT, "group/write"
)
REMOVE_USER_FROM_ALL_GROUPS: Final = Operation(
    "remove_user_from_all_groups", "DELETE", f"{_USER}/groups", _NO_CONTENT, "group/write"
)
