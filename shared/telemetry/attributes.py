"""What spans, metrics and log records have to say besides their text, and what it is called.

Names are those of OpenTelemetry's conventions for HTTP and for the Azure SDKs, and `signalr.` for
what neither knows. Log records carry them as `extra`: OpenTelemetry exports them as attributes,
Application Insights shows them as custom dimensions, and a formatter may print them.
"""

from typing import Final

__all__ = [
    "ENDPOINT",
    "ERROR_TYPE",
    "HUB",
    "OPERATION",
    "OUTCOME",
    "REQUEST_ID",
    "STATUS",
    "TRACING_ID",
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
