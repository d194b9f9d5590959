"""An app with OpenTelemetry that uses the service client and prints what was recorded.

python -m tests.shared.endpoints.telemetry_app blocking|awaitable URL [URL]
"""

import contextlib
import json
import sys
from typing import Any

from azure.core.credentials import AccessToken
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared import Endpoint, RetryPolicy, SignalRError, SignalRServiceClient
from tests.e2e.service_clients import BOTH_CLIENTS

ONCE = RetryPolicy(attempts=1)


class Credential:
    def get_token(self, *_: str, **__: object) -> AccessToken:
        return AccessToken("e30.e30.sig", 2**40)


def use(signalr: SignalRServiceClient) -> None:
    for operation in (
        lambda: signalr.get_client_access_token("chat"),
        lambda: signalr.get_client_access_token("chat"),
        lambda: signalr.send_to_all("chat", "newMessage"),
        lambda: signalr.send_to_user("chat", "busy", "newMessage"),
        lambda: signalr.send_to_group("chat", "lost", "newMessage"),
        lambda: signalr.user_exists("chat", "nobody"),
        lambda: signalr.refresh_connection_authentication("chat", "secret-of-ann"),
        lambda: signalr.refresh_connection_authentication("chat", "secret-of-nobody"),
    ):
        with contextlib.suppress(SignalRError):
            operation()


def spans(exporter: InMemorySpanExporter) -> list[dict[str, Any]]:
    finished = exporter.get_finished_spans()
    names = {each.context.span_id: each.name for each in finished if each.context}
    return [
        {
            "name": each.name,
            "kind": each.kind.name,
            "status": each.status.status_code.name,
            "parent": names[each.parent.span_id] if each.parent else None,
            "traceparent": f"00-{each.context.trace_id:032x}-{each.context.span_id:016x}"
            f"-{each.context.trace_flags:02x}",
            "attributes": dict(each.attributes or {}),
        }
        for each in finished
        if each.context
    ]


def points(reader: InMemoryMetricReader) -> list[dict[str, Any]]:
    """Return the points of every metric but those that some SDK versions make of themselves."""
    data = reader.get_metrics_data()
    return [
        {
            "name": metric.name,
            "attributes": dict(point.attributes or {}),
            "value": getattr(point, "value", None),
            "count": getattr(point, "count", None),
        }
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if not metric.name.startswith("otel.sdk.")
        for point in metric.data.data_points
    ]


def main(kind: str, *urls: str) -> None:
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(tracers)
    metrics.set_meter_provider(MeterProvider([reader]))

    before = Endpoint(urls[0], name="earlier")
    with SignalRServiceClient(before, Credential(), policy=ONCE) as earlier:
        use(earlier)
    exporter.clear()
    endpoints = [Endpoint(url, name=f"endpoint-{n}") for n, url in enumerate(urls)]
    with BOTH_CLIENTS[kind](endpoints, Credential(), policy=ONCE, message_tracing=True) as signalr:
        with trace.get_tracer("app").start_as_current_span("caller"):
            use(signalr)
        recorded = {"spans": spans(exporter), "points": points(reader)}
    print(json.dumps(recorded))  # noqa: T201  what the test reads


if __name__ == "__main__":
    main(*sys.argv[1:])
