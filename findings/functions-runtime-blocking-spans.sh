#!/usr/bin/env bash
# azure-functions-runtime 1.3.0: a function that is not async runs outside the trace of its caller.
#
# Behaviour: with PYTHON_ENABLE_OPENTELEMETRY the library attaches the caller's trace context, and a
# coroutine function's spans belong to the caller's trace. A function that is not async runs in a
# thread, to which the library does not take the context: its spans begin traces of their own. So it
# is for both ways in, invocation_request and run_invocation_sync.
# Expected: as for coroutine functions; the comment in run_invocation_sync says that run_sync_func
# attaches the context in its thread, and run_sync_func does not.
# Hurts: whoever follows a request through an app of plain functions finds it cut at the app: what it
# asks of databases and other services stands in traces that nothing joins with the request.
#
# Output seen:
#   | async: span in the caller's trace: True
#   | not async: span in the caller's trace: False
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.13}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    azure-functions-runtime==1.3.0 azure-functions==2.3.0 opentelemetry-sdk==1.43.0

cat > "$folder/function_app.py" <<'PY'
import azure.functions as func
from opentelemetry.sdk.trace import TracerProvider

app = func.FunctionApp()
tracer = TracerProvider().get_tracer("app")


def trace():
    with tracer.start_as_current_span("work") as span:
        return f"{span.get_span_context().trace_id:032x}"


@app.route("awaited")
async def awaited(req):
    return trace()


@app.route("blocking")
def blocking(req):
    return trace()
PY

cat > "$folder/show.py" <<'PY'
import asyncio
import os
from types import SimpleNamespace
from unittest.mock import MagicMock

import azure_functions_runtime as library
from azure_functions_runtime import handle_event
from azure_functions_runtime.bindings.datumdef import Datum
from azure_functions_runtime.native_invocation import (
    invocation_request_native,
    run_invocation_sync,
)

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


async def main():
    library.start_threadpool_executor()
    init = SimpleNamespace(capabilities={}, function_app_directory=os.getcwd())
    # Stands for the messages of FunctionRpc, of which the numbers of directions are read.
    protos = MagicMock()
    for number, direction in enumerate(("in", "out", "inout")):
        setattr(protos.BindingInfo, direction, number)
    properties = {"host": "", "protos": protos}
    await library.worker_init_request(
        SimpleNamespace(
            request=SimpleNamespace(worker_init_request=init), properties=properties
        )
    )
    ids = {each.name: key for key, each in handle_event._functions._functions.items()}
    texts = {name: Datum("", "string") for name in ("method", "url")}
    maps = {name: {} for name in ("headers", "params", "query")}
    request = Datum({**texts, **maps, "body": Datum(b"", "bytes")}, "http")
    ok, awaited, *_ = await invocation_request_native(
        "1", ids["awaited"], [("req", request)], {}, PARENT
    )
    handled, ok_too, blocking, *_ = await asyncio.to_thread(
        run_invocation_sync, "2", ids["blocking"], [("req", request)], {}, PARENT
    )
    assert ok and handled and ok_too
    print("async: span in the caller's trace:", awaited.value == TRACE)
    print("not async: span in the caller's trace:", blocking.value == TRACE)
    library.stop_threadpool_executor()


asyncio.run(main())
PY

cd "$folder"
PYTHON_ENABLE_OPENTELEMETRY=true venv/bin/python show.py > seen
cat seen
cd "$OLDPWD"
sed -n 's/^#   | //p' "${BASH_SOURCE[0]}" | diff - "$folder/seen" >&2 || {
  echo 'The behaviour changed.' >&2
  exit 1
}
