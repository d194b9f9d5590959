from pathlib import Path

from tests.funchost.hosting import running, write_app

_APP = """
import azure.functions as func
from opentelemetry import trace

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def current() -> str:
    return f"{trace.get_current_span().get_span_context().trace_id:032x}"


@app.route(route="awaited")
async def awaited(req: func.HttpRequest) -> str:
    return current()


@app.route(route="blocking")
def blocking(req: func.HttpRequest) -> str:
    return current()
"""
_TRACE = "0af7651916cd43dd8448eb211c80319c"
_CALLER = {"traceparent": f"00-{_TRACE}-b7ad6b7169203331-01"}


def test_coroutine_functions_alone_are_in_the_trace_of_their_caller(
    interface: str, tmp_path: Path
) -> None:
    environ = {"PYTHON_ENABLE_OPENTELEMETRY": "true"}
    with running(write_app(tmp_path, _APP), "--worker", interface, environ=environ) as host:
        assert host.call("GET", "/api/awaited", headers=_CALLER).text == _TRACE
        assert host.call("GET", "/api/blocking", headers=_CALLER).text == "0" * 32
