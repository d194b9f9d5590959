"""A program with OpenTelemetry that sends by server connections and prints what was recorded.

python -m tests.shared.persistent.telemetry_app blocking|awaitable URL
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import Awaitable, Callable

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.errors import SignalRError
from shared.persistent import PersistentSender
from shared.persistent.aio import PersistentSender as AwaitableSender
from tests.shared.endpoints.telemetry_app import points, spans
from tests.shared.persistent.conftest import KEY


def operations[S: PersistentSender | AwaitableSender](
    sender: S,
) -> list[Callable[[], Awaitable[object] | object]]:
    return [
        lambda: sender.send_to_user("chat", "ann", "news"),
        lambda: sender.send_to_connection("chat", "c1", "news"),
        lambda: sender.remove_connection_from_all_groups("chat", "c1"),
        # With its answer comes that the service's buffer is full.
        lambda: sender.user_exists("chat", "ann"),
        lambda: sender.send_to_all("chat", "news"),
    ]


def block(url: str) -> None:
    with PersistentSender(url, KEY, message_tracing=True) as sender:
        with trace.get_tracer("app").start_as_current_span("caller"):
            with sender.batch() as batch:
                batch.send_to_users("chat", ["ann", "bob"], "news")
            for each in operations(sender):
                with contextlib.suppress(SignalRError):
                    each()
        report()


async def wait(url: str) -> None:
    async with AwaitableSender(url, KEY, message_tracing=True) as sender:
        with trace.get_tracer("app").start_as_current_span("caller"):
            await sender.send_to_users("chat", ["ann", "bob"], "news")
            for each in operations(sender):
                with contextlib.suppress(SignalRError):
                    await each()  # type: ignore[misc]  # this sender's are awaitable
        report()


exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()


def report() -> None:
    print(json.dumps({"spans": spans(exporter), "points": points(reader)}))  # noqa: T201  what the test reads


def main(kind: str, url: str) -> None:
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(tracers)
    metrics.set_meter_provider(MeterProvider([reader]))
    if kind == "blocking":
        block(url)
    else:
        asyncio.run(wait(url))


if __name__ == "__main__":
    main(*sys.argv[1:])
