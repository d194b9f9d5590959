"""Spans and metrics of server connections, beside those of requests (`endpoints/instruments.py`).

The protocol has no place for a trace's name, so that a trace ends here.
"""

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from .. import telemetry as attributes
from ..service_protocol import requests, sends
from ..service_protocol.messages import CloseConnection, Message
from ..settings.endpoint import Endpoint

if TYPE_CHECKING:
    from opentelemetry.context import Context

__all__ = ["Begun", "Telemetry", "find_telemetry", "operation_of"]

_SCOPE: Final = "keyless_signalr"

_OPERATIONS: Final[Mapping[type[Message], str]] = {
    sends.BroadcastData: "send_to_all",
    sends.UserData: "send_to_user",
    sends.MultiUserData: "send_to_users",
    sends.GroupBroadcastData: "send_to_group",
    sends.MultiGroupBroadcastData: "send_to_groups",
    sends.MultiConnectionData: "send_to_connections",
    CloseConnection: "close_connection",
    requests.CloseConnectionsWithAck: "close_all_connections",
    requests.CloseGroupConnectionsWithAck: "close_group_connections",
    requests.CloseUserConnectionsWithAck: "close_user_connections",
    requests.CheckConnectionExistenceWithAck: "connection_exists",
    requests.CheckGroupExistenceWithAck: "group_exists",
    requests.CheckUserExistenceWithAck: "user_exists",
    requests.CheckUserInGroupWithAck: "user_in_group",
    requests.JoinGroupWithAck: "add_connection_to_group",
    requests.LeaveGroupWithAck: "remove_connection_from_group",
    requests.UserJoinGroupWithAck: "add_user_to_group",
    requests.UserLeaveGroupWithAck: "remove_user_from_group",
    requests.GroupMemberQuery: "list_connections_in_group",
    requests.RefreshAuth: "refresh_connection_authentication",
    requests.GetConnectionClaims: "connection_claims",
}
"""What the senders call what they send."""


class Begun(NamedTuple):
    """An operation that has begun.

    Args:
        operation: Its name.
        at: When, in nanoseconds since 1970.
        context: Where its span belongs.
        tracing_id: Its name in the service's messaging logs, if it has one.
    """

    operation: str
    at: int = 0
    context: "Context | None" = None
    tracing_id: int | None = None


class Telemetry:
    """The instruments of one sender."""

    def __init__(self) -> None:
        from opentelemetry import context, metrics, trace  # noqa: PLC0415  only where an SDK is

        self._trace = trace
        self._context = context
        self._tracer = trace.get_tracer(_SCOPE)
        meter = metrics.get_meter(_SCOPE)
        self._durations = meter.create_histogram(
            "signalr.client.server_connection.operation.duration",
            "s",
            "What goes by server connections, until a socket has it or its answer has come",
        )
        self._attempts = meter.create_counter(
            "signalr.client.server_connection.attempts",
            "{attempt}",
            "Attempts to open a server connection",
        )
        self._up = meter.create_up_down_counter(
            "signalr.client.server_connection.count",
            "{connection}",
            "Server connections that are up",
        )
        self._throttled = meter.create_counter(
            "signalr.client.server_connection.throttled",
            "{event}",
            "How often the service asked for less by a server connection",
        )

    def begin(self, operation: str, tracing_id: int | None = None) -> Begun:
        """Note the moment, and whose trace an operation belongs to."""
        return Begun(operation, time.time_ns(), self._context.get_current(), tracing_id)

    def done(self, begun: Begun, endpoint: Endpoint, hub: str, failure: Exception | None) -> None:
        """Record an operation that is over.

        Args:
            begun: The operation.
            endpoint: Where it was done.
            hub: Name of the hub.
            failure: Why it was not, or `None`.
        """
        now = time.time_ns()
        described = {
            attributes.OPERATION: begun.operation,
            attributes.ENDPOINT: endpoint.name,
            "server.address": urlsplit(endpoint.server_url).hostname or "",
        }
        if failure is not None:
            described[attributes.ERROR_TYPE] = type(failure).__name__
        shown = {**described, attributes.HUB: hub}
        if begun.tracing_id is not None:
            shown[attributes.TRACING_ID] = str(begun.tracing_id)
        span = self._tracer.start_span(
            f"SignalR {begun.operation}",
            begun.context,
            kind=self._trace.SpanKind.CLIENT,
            attributes=shown,
            start_time=begun.at,
        )
        if failure is not None:
            span.set_status(self._trace.StatusCode.ERROR)
        span.end(now)
        # The clock may have been set meanwhile.
        self._durations.record(max(0, now - begun.at) / 1e9, described)

    def attempted(self, endpoint: str, outcome: str) -> None:
        """Count an attempt to open a connection: "success", or the name of the error."""
        self._attempts.add(1, {attributes.ENDPOINT: endpoint, attributes.OUTCOME: outcome})

    def up(self, endpoint: str, change: int) -> None:
        """Count a connection that is up, or one that no longer is."""
        self._up.add(change, {attributes.ENDPOINT: endpoint})

    def throttled(self, endpoint: str) -> None:
        """Count that the service asked for less."""
        self._throttled.add(1, {attributes.ENDPOINT: endpoint})


def find_telemetry() -> Telemetry | None:
    """Return the instruments if the process has an OpenTelemetry SDK."""
    return Telemetry() if "opentelemetry.sdk" in sys.modules else None


def operation_of(message: Message) -> str:
    """Return what the senders call what a message does."""
    name = _OPERATIONS[type(message)]
    match message:
        case sends.MultiConnectionData(connection_ids=[_]):
            return "send_to_connection"
        case requests.LeaveGroupWithAck(group=None):
            return "remove_connection_from_all_groups"
        case requests.UserLeaveGroupWithAck(group=None):
            return "remove_user_from_all_groups"
        case _:
            return name
