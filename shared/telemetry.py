"""What logs, spans and metrics say besides their text, and what it is called.

Names are those of OpenTelemetry's conventions for HTTP and for the Azure SDKs, and `signalr.` for
what neither knows. Log records carry them as `extra`: OpenTelemetry exports them as attributes,
Application Insights shows them as custom dimensions, and a formatter may print them.
"""

from collections.abc import Iterable
from typing import Final

from .errors import EndpointsError, ServiceError, SignalRError

__all__ = [
    "ENDPOINT",
    "ERROR_TYPE",
    "HUB",
    "OPERATION",
    "OUTCOME",
    "REQUEST_ID",
    "STATUS",
    "TRACING_ID",
    "log_fields",
]

ENDPOINT: Final = "signalr.endpoint"
HUB: Final = "signalr.hub"
OPERATION: Final = "signalr.operation"
OUTCOME: Final = "outcome"
STATUS: Final = "http.response.status_code"
ERROR_TYPE: Final = "error.type"
TRACING_ID: Final = "signalr.message_tracing_id"
"""The `MessageTracingId` of the service's messaging logs."""
REQUEST_ID: Final = "signalr.request_id"
"""What the service's support asks for: the `x-ms-request-id` of its answer, and without an answer
the `x-ms-client-request-id` of the request."""


def log_fields(
    error: SignalRError | None = None, *, hub: str | None = None, endpoint: str | None = None
) -> dict[str, str | int]:
    """Return what a log record says besides its text.

    Args:
        error: What the record is about. An error of the service knows most of it by itself.
        hub: Name of the hub, if the error does not know it.
        endpoint: Name of the endpoint, if the error does not know it.
    """
    fields: dict[str, str | int | None] = {HUB: hub, ENDPOINT: endpoint}
    if error is not None:
        fields[ERROR_TYPE] = type(error).__name__
    if isinstance(error, ServiceError):
        known = list(_each(error))
        fields[HUB] = _joined(each.hub for each in known) or hub
        fields[ENDPOINT] = _joined(each.endpoint for each in known) or endpoint
        fields[REQUEST_ID] = _joined(each.request_id for each in known)
        fields[TRACING_ID] = _joined(each.tracing_id for each in known)
        fields[STATUS] = next((each.status for each in known if each.status is not None), None)
    return {name: value for name, value in fields.items() if value is not None and value != ""}


def _each(error: ServiceError) -> Iterable[ServiceError]:
    """Return the errors that one is made of: of each endpoint, and behind a missing key."""
    if isinstance(error, EndpointsError):
        for each in error.failures.values():
            yield from _each(each)
        return
    yield error
    if isinstance(error.__cause__, ServiceError):
        yield from _each(error.__cause__)


def _joined(values: Iterable[str | None]) -> str:
    return ",".join(dict.fromkeys(value for value in values if value))
