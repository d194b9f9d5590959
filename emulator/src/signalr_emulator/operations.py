"""The operations of the data plane in one table: method, path, API versions, data action.

Sources: swagger of the REST data plane (2022-06-01 to 2024-12-01); data actions from the Azure
permissions reference. Where no document names the data action, docs/fidelity.md says so.
"""

from dataclasses import dataclass

__all__ = [
    "ADD_CONNECTION_TO_GROUP",
    "API_VERSIONS",
    "GET_ACCESS_KEY",
    "GET_ACCESS_KEY_V1",
    "OPERATIONS",
    "REMOVE_CONNECTION_FROM_GROUP",
    "SEND_TO_CONNECTION",
    "SEND_TO_GROUP",
    "SEND_TO_HUB",
    "SEND_TO_USER",
    "Operation",
]

API_VERSIONS = ("2022-06-01", "2022-11-01", "2023-07-01", "2024-12-01")
"""Known versions, the oldest first."""

_SIGNALR = "Microsoft.SignalRService/SignalR"
_HUB = "/api/hubs/{hub}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the REST data plane.

    Attributes:
        method: HTTP method.
        path: Path with its parameters in braces.
        data_action: What the caller has to be permitted.
        since: First API version that has it; None where the path has the version in it.
    """

    method: str
    path: str
    data_action: str
    since: str | None = API_VERSIONS[0]

    @property
    def api_versions(self) -> tuple[str, ...]:
        """Acceptable values of `api-version`; empty where the parameter is not used."""
        if self.since is None:
            return ()
        return API_VERSIONS[API_VERSIONS.index(self.since) :]


GET_ACCESS_KEY_V1 = Operation(
    "GET", "/api/v1/auth/accessKey", f"{_SIGNALR}/auth/accessKey/action", since=None
)
GET_ACCESS_KEY = Operation(
    "GET", "/api/auth/accessKey", f"{_SIGNALR}/auth/accessKey/action", since="2024-12-01"
)
SEND_TO_HUB = Operation("POST", f"{_HUB}/:send", f"{_SIGNALR}/hub/send/action")
SEND_TO_USER = Operation("POST", f"{_HUB}/users/{{user}}/:send", f"{_SIGNALR}/user/send/action")
SEND_TO_GROUP = Operation("POST", f"{_HUB}/groups/{{group}}/:send", f"{_SIGNALR}/group/send/action")
SEND_TO_CONNECTION = Operation(
    "POST", f"{_HUB}/connections/{{connection}}/:send", f"{_SIGNALR}/clientConnection/send/action"
)
ADD_CONNECTION_TO_GROUP = Operation(
    "PUT", f"{_HUB}/groups/{{group}}/connections/{{connection}}", f"{_SIGNALR}/group/write"
)
REMOVE_CONNECTION_FROM_GROUP = Operation(
    "DELETE", f"{_HUB}/groups/{{group}}/connections/{{connection}}", f"{_SIGNALR}/group/write"
)

OPERATIONS = (
    GET_ACCESS_KEY_V1,
    GET_ACCESS_KEY,
    SEND_TO_HUB,
    SEND_TO_USER,
    SEND_TO_GROUP,
    SEND_TO_CONNECTION,
    ADD_CONNECTION_TO_GROUP,
    REMOVE_CONNECTION_FROM_GROUP,
)
