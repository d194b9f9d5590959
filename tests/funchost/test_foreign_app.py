"""An app that is none of this repository runs as it is, whatever triggers it has."""

from collections.abc import Iterator

import pytest

from tests.funchost.hosting import RunningHost, running_inside, write_app

_APP = """
import azure.functions as func

from orders import orders
from settings import NAME
from shared.texts import greeting
from worker import PLACE

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
app.register_functions(orders)


@app.route(route="hello/{name?}", methods=["GET"])
def hello(req: func.HttpRequest) -> str:
    return greeting(req.route_params.get("name") or NAME)


@app.route(route="place")
async def place(req: func.HttpRequest) -> str:
    return PLACE


@app.route(route="writes")
@app.queue_output(arg_name="out", queue_name="q", connection="Storage")
def writes(req: func.HttpRequest, out: func.Out[str]) -> str:
    out.set("for nobody")
    return "done"


@app.route(route="reads")
@app.blob_input(arg_name="blob", path="a/b", connection="Storage")
def reads(req: func.HttpRequest, blob: str) -> str:
    return blob


@app.schedule(schedule="* * * * * *", arg_name="timer", run_on_startup=True)
def clock(timer: func.TimerRequest) -> None:
    raise AssertionError("a timer ran")


@app.retry(strategy="fixed_delay", max_retry_count="3", delay_interval="00:00:01")
@app.queue_trigger(arg_name="message", queue_name="q", connection="Storage")
async def queued(message: func.QueueMessage) -> None: ...


@app.blob_trigger(arg_name="blob", path="c/{name}", connection="Storage")
def stored(blob: func.InputStream) -> None: ...


@app.event_hub_message_trigger(arg_name="event", event_hub_name="h", connection="Hub")
def streamed(event: func.EventHubEvent) -> None: ...


@app.generic_trigger(
    arg_name="invocation", type="signalRTrigger", hubName="h", category="messages", event="e"
)
def said(invocation: str) -> None: ...
"""
_ORDERS = """
import azure.functions as func

orders = func.Blueprint()


@orders.route(route="orders/{id:int}", methods=["GET"])
async def order(req: func.HttpRequest) -> str:
    return f"order {req.route_params['id']}"


@orders.service_bus_queue_trigger(arg_name="message", queue_name="q", connection="Bus")
def ordered(message: func.ServiceBusMessage) -> None: ...
"""
_NOT_RUN = {
    "clock": "timerTrigger",
    "ordered": "serviceBusTrigger",
    "queued": "queueTrigger",
    "said": "signalRTrigger",
    "stored": "blobTrigger",
    "streamed": "eventHubTrigger",
}


@pytest.fixture(scope="module", params=["1", "2"], ids=["in-process", "two-processes"])
def foreign(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningHost]:
    app = write_app(tmp_path_factory.mktemp("foreign"), _APP)
    (app / "orders.py").write_text(_ORDERS)
    # Names that the host's modules, or packages of this repository, have too.
    (app / "settings.py").write_text("NAME = 'whom the settings name'")
    for package in ("shared", "worker"):
        (app / package).mkdir()
    (app / "shared" / "__init__.py").touch()
    (app / "shared" / "texts.py").write_text("def greeting(name): return f'Hello {name}'")
    (app / "worker" / "__init__.py").write_text("PLACE = 'the worker of the app'")
    with running_inside(app, {"FUNCTIONS_WORKER_PROCESS_COUNT": request.param}) as host:
        yield host


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("hello/ann", "Hello ann"),
        ("hello", "Hello whom the settings name"),
        ("place", "the worker of the app"),
        ("orders/7", "order 7"),
    ],
)
def test_its_functions_use_its_own_modules(foreign: RunningHost, path: str, text: str) -> None:
    assert foreign.call("GET", f"/api/{path}").text == text


def test_what_is_not_called_by_http_is_named_at_the_start_and_not_run(
    foreign: RunningHost,
) -> None:
    for name, trigger in _NOT_RUN.items():
        assert f"        {name}: {trigger} (not run by this host)\n" in foreign.banner
        assert foreign.call("POST", f"/api/{name}").status == 404
    assert "a timer ran" not in foreign.log()


def test_an_output_binding_is_named_at_the_start_and_not_written(foreign: RunningHost) -> None:
    assert "writes: this host does not serve the binding out: queue" in foreign.log()
    assert foreign.call("GET", "/api/writes").text == "done"


def test_an_input_binding_is_named_at_the_start_and_fails_when_it_is_needed(
    foreign: RunningHost,
) -> None:
    assert "reads: this host does not serve the binding blob: blob" in foreign.log()
    assert foreign.call("GET", "/api/reads").status == 500
    assert "missing 1 required positional argument: 'blob'" in foreign.log()
