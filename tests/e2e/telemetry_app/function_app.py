"""The app of this repository with OpenTelemetry, and a function that tells what it recorded."""

import json
import logging
import runpy
from pathlib import Path
from typing import Any

import azure.functions as func
from opentelemetry import metrics, trace
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

spans, reader, records = (
    InMemorySpanExporter(),
    InMemoryMetricReader(),
    InMemoryLogRecordExporter(),  # type: ignore[no-untyped-call]  # the SDK's own
)
tracers = TracerProvider()
tracers.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(tracers)
metrics.set_meter_provider(MeterProvider([reader]))
loggers = LoggerProvider()
loggers.add_log_record_processor(SimpleLogRecordProcessor(records))
logging.getLogger().addHandler(LoggingHandler(logger_provider=loggers))

# After the SDK, which the service client looks for when it is made.
app: func.FunctionApp = runpy.run_path(str(Path(__file__).parents[3] / "function_app.py"))["app"]


@app.route("recorded", auth_level=func.AuthLevel.ANONYMOUS)
def recorded(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the trigger
    """Say what has been recorded since the start."""
    return func.HttpResponse(
        json.dumps({"spans": _spans(), "metrics": _metrics(), "logs": _logs()})
    )


def _spans() -> list[dict[str, Any]]:
    return [
        {
            "name": span.name,
            "trace": f"{span.context.trace_id:032x}" if span.context else None,
            "parent": f"{span.parent.span_id:016x}" if span.parent else None,
            "attributes": dict(span.attributes or {}),
        }
        for span in spans.get_finished_spans()
    ]


def _metrics() -> list[str]:
    data = reader.get_metrics_data()
    return [
        metric.name
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
    ]


def _logs() -> list[dict[str, Any]]:
    return [
        {
            "text": each.log_record.body,
            "trace": f"{each.log_record.trace_id:032x}",
            "attributes": dict(each.log_record.attributes or {}),
        }
        for each in records.get_finished_logs()
    ]
