"""Spans and metrics of the service client, through OpenTelemetry's API.

The API package is imported only where an SDK has been imported before the client is made, as an
app that wants telemetry does. Without one it costs neither an import nor a call.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from shared.flow import Request, Response
from shared.rotation import KeyState

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation

__all__ = ["Exchanged", "Telemetry", "find_telemetry"]

_SCOPE: Final = "keyless_signalr"


class Exchanged:
    """What a request came to, told by whoever sends it."""

    def __init__(self) -> None:
        self.status: int | None = None

    def answered(self, response: Response) -> None:
        """Take note of the answer."""
        self.status = response.status


class Telemetry:
    """The instruments of one client.

    Args:
        keys: What is known of the access key of each endpoint, by the endpoint's name.
    """

    def __init__(self, keys: Callable[[], Iterable[tuple[str, KeyState]]]) -> None:
        from opentelemetry import metrics, trace  # noqa: PLC0415  see above

        self._keys = keys
        self._trace = trace
        self._tracer = trace.get_tracer(_SCOPE)
        meter = metrics.get_meter(_SCOPE)
        self._observation = metrics.Observation
        self._durations = meter.create_histogram(
            "signalr.client.request.duration", "s", "Requests to the service, by operation"
        )
        self._negotiations = meter.create_counter(
            "signalr.client.negotiations", "{token}", "Client tokens given out"
        )
        self._refreshes = meter.create_counter(
            "signalr.client.access_key.refreshes", "{refresh}", "Attempts to get an access key"
        )
        meter.create_observable_gauge(
            "signalr.client.access_key.age", [self._ages], "s", "Age of the access key in use"
        )

    def negotiated(self, endpoint: str) -> None:
        """Count a client token."""
        self._negotiations.add(1, {"signalr.endpoint": endpoint})

    def refreshed(self, endpoint: str, outcome: str) -> None:
        """Count an attempt to get an access key: "success", or the name of the error."""
        self._refreshes.add(1, {"signalr.endpoint": endpoint, "outcome": outcome})

    @contextmanager
    def request(self, request: Request) -> Iterator[Exchanged]:
        """Record one request: names are those of OpenTelemetry's HTTP conventions."""
        url = urlsplit(request.url)
        attributes: dict[str, str | int] = {
            "signalr.operation": request.operation,
            "http.request.method": request.method,
            "server.address": url.hostname or "",
        }
        exchanged = Exchanged()
        began = time.perf_counter()
        kind = self._trace.SpanKind.CLIENT
        name = f"SignalR {request.operation}"
        with self._tracer.start_as_current_span(name, kind=kind, attributes=attributes) as span:
            request_id = request.headers.get("x-ms-client-request-id")
            if request_id:
                span.set_attribute("az.client_request_id", request_id)
            try:
                yield exchanged
            finally:
                status: dict[str, str | int] = {}
                if exchanged.status is not None:
                    status["http.response.status_code"] = exchanged.status
                    span.set_attributes(status)
                self._durations.record(time.perf_counter() - began, attributes | status)

    def _ages(self, _: "CallbackOptions") -> Iterator["Observation"]:
        for endpoint, key in self._keys():
            if key.age is not None:
                yield self._observation(key.age, {"signalr.endpoint": endpoint})


def find_telemetry(keys: Callable[[], Iterable[tuple[str, KeyState]]]) -> Telemetry | None:
    """Return the instruments if the process has an OpenTelemetry SDK."""
    return Telemetry(keys) if "opentelemetry.sdk" in sys.modules else None
