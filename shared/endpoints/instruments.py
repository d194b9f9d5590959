"""Spans and metrics of the service client, through OpenTelemetry's API.

The API package is imported only where an SDK has been imported before the client is made, as an
app that wants telemetry does. Without one it costs neither an import nor a call.
"""

import dataclasses
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from .. import telemetry as attributes
from ..keys.access_key import KeyState
from ..transport.flow import TRACING_ID_HEADER, Recorded, Request, Response, request_id

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation

__all__ = ["Telemetry"]

_SCOPE: Final = "keyless_signalr"


class Telemetry:
    """The instruments of one client.

    Args:
        keys: What is known of the access key of each endpoint, by the endpoint's name.
    """

    def __init__(self, keys: Callable[[], Iterable[tuple[str, KeyState]]]) -> None:
        from opentelemetry import context, metrics, trace  # noqa: PLC0415  see above
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )

        self.key_states = keys
        self._trace = trace
        self._tracer = trace.get_tracer(_SCOPE)
        # Not the propagators of the process: baggage can hold what the service need not know.
        self._propagator = TraceContextTextMapPropagator()
        self._context = context
        meter = metrics.get_meter(_SCOPE)
        self._durations = meter.create_histogram(
            "signalr.client.request.duration", "s", "Requests to the service, by operation"
        )
        self._negotiations = meter.create_counter(
            "signalr.client.negotiations", "{token}", "Client tokens given out"
        )
        self._authentication_refreshes = meter.create_counter(
            "signalr.client.authentication.refreshes",
            "{refresh}",
            "Attempts to renew the authentication of a connection",
        )
        self._refreshes = meter.create_counter(
            "signalr.client.access_key.refreshes", "{refresh}", "Attempts to get an access key"
        )
        meter.create_observable_gauge(
            "signalr.client.access_key.age", [_ages], "s", "Age of the access key in use"
        )
        _in_use.add(self)

    def close(self) -> None:
        """Tell nothing more of the access keys."""
        _in_use.discard(self)

    def negotiated(self, endpoint: str) -> None:
        """Count a client token."""
        self._negotiations.add(1, {attributes.ENDPOINT: endpoint})

    def refreshed(self, endpoint: str, outcome: str) -> None:
        """Count an attempt to get an access key: "success", or the name of the error."""
        self._refreshes.add(1, {attributes.ENDPOINT: endpoint, attributes.OUTCOME: outcome})

    def authentication_refreshed(self, outcome: str) -> None:
        """Count an attempt to renew a connection's authentication, by outcome as `refreshed`."""
        self._authentication_refreshes.add(1, {attributes.OUTCOME: outcome})

    @contextmanager
    def recording(self, request: Request) -> Iterator[Recorded]:
        """Record a request, and name it by the trace that it belongs to.

        Args:
            request: What is sent in the block, as `Recorded.request`.
        """
        described = _described(request)
        began = time.perf_counter()
        with (
            self._tracer.start_as_current_span(
                f"SignalR {request.operation}",
                kind=self._trace.SpanKind.CLIENT,
                attributes=described,
            ) as span,
            self._alone(),
        ):
            span.set_attributes(_shown(request))
            recorded = Recorded(self._traced(request))
            try:
                yield recorded
            finally:
                outcome = _outcome(recorded.response)
                span.set_attributes(outcome)
                span.set_attribute(attributes.REQUEST_ID, request_id(request, recorded.response))
                if attributes.ERROR_TYPE in outcome:
                    span.set_status(self._trace.StatusCode.ERROR)
                self._durations.record(time.perf_counter() - began, described | outcome)

    def _traced(self, request: Request) -> Request:
        """Have a request name the trace that it belongs to (W3C Trace Context)."""
        headers = dict(request.headers)
        self._propagator.inject(headers)
        return dataclasses.replace(request, headers=headers)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep instrumentations of HTTP libraries from recording the request a second time.

        Theirs would have the URL, and with it the names of users and groups.
        """
        key = self._context._SUPPRESS_HTTP_INSTRUMENTATION_KEY  # noqa: SLF001  as the Azure SDKs do
        token = self._context.attach(self._context.set_value(key, value=True))
        try:
            yield
        finally:
            self._context.detach(token)


_in_use: Final[weakref.WeakSet[Telemetry]] = weakref.WeakSet()
"""Those of all clients, which share a gauge: a meter knows the callbacks of the first one only."""


def _outcome(response: Response | None) -> dict[str, str | int]:
    """Return what a request came to; `error.type` is there when it failed."""
    if response is None:
        return {attributes.ERROR_TYPE: "no_answer"}
    # That there is no such connection, group or user is an answer and no failure.
    failed = response.status >= HTTPStatus.BAD_REQUEST and response.status != HTTPStatus.NOT_FOUND
    outcome: dict[str, str | int] = {attributes.STATUS: response.status}
    return outcome | ({attributes.ERROR_TYPE: str(response.status)} if failed else {})


def _described(request: Request) -> dict[str, str | int]:
    """Return what a metric says of a request too: few values, however many users there are."""
    return {
        attributes.OPERATION: request.operation,
        attributes.ENDPOINT: request.endpoint,
        "http.request.method": request.method,
        "server.address": urlsplit(request.url).hostname or "",
    }


def _shown(request: Request) -> dict[str, str | int]:
    """Return what a span says more."""
    url = urlsplit(request.url)
    port = url.port or (443 if url.scheme == "https" else 80)
    shown: dict[str, str | int] = {
        attributes.HUB: request.hub,
        attributes.TRACING_ID: request.headers.get(TRACING_ID_HEADER, ""),
        "url.full": request.shown_url,
        "server.port": port,
    }
    return {name: value for name, value in shown.items() if value}


def _ages(_: "CallbackOptions") -> Iterator["Observation"]:
    from opentelemetry.metrics import Observation  # noqa: PLC0415  see above

    for telemetry in tuple(_in_use):
        for endpoint, key in telemetry.key_states():
            if key.age is not None:
                yield Observation(key.age, {attributes.ENDPOINT: endpoint})
