import asyncio
import gc
import logging
import os
import sys
import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from funchost.worker.functions import Function, IndexingError, InvocationError
from funchost.worker.interface import Interface
from funchost.worker.messages import HttpRequest, HttpResponse
from funchost.worker.runtime import Worker

_SCRIPT = "sample_app_of_the_worker_test.py"
_APP = """
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
gates = []

class UnspeakableError(Exception):
    def __repr__(self):
        raise LookupError("no words")

@app.route(route="z/{x}", methods=["get", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def zeta(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    headers = {"X-Id": context.invocation_id}
    return func.HttpResponse(req.route_params["x"], status_code=201, headers=headers)

@app.route()
def Alpha(req: func.HttpRequest) -> str:
    raise RuntimeError("told you")

@app.route(route="status")
async def status(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(status_code="many")

@app.route(route="parameter", binding_arg_name="reply")
async def parameter(req: func.HttpRequest, reply: func.Out[func.HttpResponse]) -> None:
    reply.set(func.HttpResponse("set"))

@app.route(route="silent", binding_arg_name="reply")
async def silent(req: func.HttpRequest, reply: func.Out[func.HttpResponse]) -> None:
    pass

@app.route(route="eager", binding_arg_name="reply")
async def eager(req: func.HttpRequest, reply: func.Out[func.HttpResponse]) -> None:
    return "returned"

@app.route(route="cookie")
async def cookie(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse()
    response.headers.add("Set-Cookie", "a=1; Expires=tomorrow")
    return response

@app.route(route="unspeakable")
async def unspeakable(req: func.HttpRequest) -> str:
    raise UnspeakableError

@app.route(route="unspeakable-blocking")
def unspeakable_blocking(req: func.HttpRequest) -> str:
    raise UnspeakableError

@app.route(route="blocking")
def blocking(req: func.HttpRequest) -> str:
    print("half a line", end="")
    return "done"

@app.route(route="held")
def held(req: func.HttpRequest) -> str:
    arrived, leave, ran = gates
    arrived.set()
    leave.wait(20)
    ran.append(req.params["who"])
    return "done"
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    folder = tmp_path_factory.mktemp("worker")
    (folder / _SCRIPT).write_text(_APP)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(Path.cwd())
        patch.setattr(sys, "path", list(sys.path))
        patch.setenv("PYTHON_SCRIPT_FILE_NAME", _SCRIPT)
        patch.setenv("PYTHON_THREADPOOL_THREAD_COUNT", "1")
        worker = Worker(Interface.NATIVE)
        asyncio.run(worker.start(folder))
        yield worker
        worker.stop()


@pytest.fixture(scope="module", params=list(Interface))
def worker(started: Worker, request: pytest.FixtureRequest) -> Worker:
    return started if request.param is Interface.NATIVE else _by_messages(started)


def _by_messages(started: Worker) -> Worker:
    worker = Worker(Interface.PROTOBUF)
    worker.functions = started.functions
    return worker


def _function(worker: Worker, name: str) -> Function:
    return next(function for function in worker.functions if function.name == name)


async def _call(worker: Worker, name: str, **query: str) -> HttpResponse:
    request = HttpRequest("POST", "http://host/api", query=query, params={"x": "value"})
    return await worker.invoke(_function(worker, name), request)


async def _failure(worker: Worker, name: str) -> InvocationError:
    with pytest.raises(InvocationError) as failure:
        await _call(worker, name)
    return failure.value


def test_describes_the_functions_by_name(started: Worker) -> None:
    names = [function.name for function in started.functions]
    assert names == sorted(names, key=str.lower)
    alpha, zeta = _function(started, "Alpha"), _function(started, "zeta")
    assert (alpha.route, alpha.methods, alpha.auth_level) == ("Alpha", (), "FUNCTION")
    assert (zeta.route, zeta.methods, zeta.auth_level) == ("z/{x}", ("GET", "POST"), "ANONYMOUS")
    assert zeta.is_http
    assert zeta.unserved == ()


async def test_invokes_with_the_given_id(worker: Worker) -> None:
    request = HttpRequest("POST", "http://host/api", params={"x": "value"})
    answer = await worker.invoke(_function(worker, "zeta"), request, "the-id")
    assert (answer.status, answer.body, answer.headers["X-Id"]) == (201, b"value", "the-id")


async def test_makes_an_id_of_its_own(worker: Worker) -> None:
    ids = {(await _call(worker, "zeta")).headers["X-Id"] for _ in range(10)}
    assert len(ids) == 10


async def test_an_out_parameter_is_the_response(worker: Worker) -> None:
    answer = await _call(worker, "parameter")
    assert (answer.status, answer.body) == (200, b"set")


async def test_a_function_that_sets_no_response_answers_204(worker: Worker) -> None:
    assert (await _call(worker, "silent")).status == 204


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Alpha", "told you"),
        ("eager", "returned a non-None value"),
        ("cookie", "time data 'tomorrow' does not match format"),
        ("unspeakable", "UnspeakableError"),
        ("unspeakable_blocking", "UnspeakableError"),
    ],
)
async def test_a_failure_carries_message_and_trace(worker: Worker, name: str, reason: str) -> None:
    failure = await _failure(worker, name)
    assert str(failure)
    assert failure.stack_trace.startswith("Traceback")
    assert reason in failure.stack_trace


async def test_a_status_that_is_none_is_a_failure(worker: Worker) -> None:
    with pytest.raises(InvocationError, match="status code 'many'"):
        await _call(worker, "status")


@pytest.mark.parametrize("name", ["zeta", "blocking"])
async def test_invocations_leave_nothing_behind(worker: Worker, name: str) -> None:
    async def threads_and_objects_after(calls: int) -> tuple[int, int]:
        for _ in range(calls):
            await _call(worker, name)
        gc.collect()
        return threading.active_count(), len(gc.get_objects())

    threads, objects = await threads_and_objects_after(20)
    more_threads, more_objects = await threads_and_objects_after(200)
    assert more_threads <= threads
    assert more_objects - objects < 100


async def test_a_blocking_function_that_is_given_up_before_its_thread_is_free_does_not_run(
    worker: Worker,
) -> None:
    arrived, leave = threading.Event(), threading.Event()
    ran: list[str] = []
    sys.modules[_SCRIPT.removesuffix(".py")].gates[:] = [arrived, leave, ran]
    first = asyncio.create_task(_call(worker, "held", who="first"))
    await asyncio.to_thread(arrived.wait, 20)
    given_up = asyncio.create_task(_call(worker, "held", who="given up"))
    # It has got as far as it can.
    for _ in range(10):
        await asyncio.sleep(0)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    leave.set()
    await first
    await _call(worker, "held", who="last")
    assert ran == ["first", "last"]


# Where the interfaces differ: the table in funchost/README.md.


@pytest.mark.parametrize(
    ("name", "protobuf", "native"),
    [
        ("Alpha", "RuntimeError: told you", "RuntimeError('told you')"),
        ("unspeakable", "UnspeakableError: ", "LookupError: no words"),
    ],
)
async def test_the_text_of_an_error_differs(
    started: Worker, name: str, protobuf: str, native: str
) -> None:
    assert str(await _failure(_by_messages(started), name)) == protobuf
    assert str(await _failure(started, name)) == native


@pytest.mark.parametrize(
    ("name", "message"),
    [("eager", "Native invocation failed"), ("Alpha", "Native sync invocation failed")],
)
async def test_native_failures_are_error_records_too(
    started: Worker, caplog: pytest.LogCaptureFixture, name: str, message: str
) -> None:
    def errors() -> list[tuple[str, str]]:
        records = caplog.get_records("call")
        return [(each.name, each.message) for each in records if each.levelno == logging.ERROR]

    await _failure(_by_messages(started), name)
    assert errors() == []
    await _failure(started, name)
    assert errors() == [("azure.functions", message)]


async def test_only_messages_make_a_record_of_each_invocation(
    started: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "azure.functions")
    await _call(started, "zeta")
    assert caplog.messages == []
    await _call(_by_messages(started), "zeta")
    assert caplog.messages == ["Function name: zeta, Function Type: async"]


async def test_native_blocking_functions_leave_half_a_line_in_the_buffer(
    started: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Buffer(StringIO):
        flushed = 0

        def flush(self) -> None:
            self.flushed += 1

    buffer = Buffer()
    monkeypatch.setattr(sys, "stdout", buffer)
    await _call(started, "blocking")
    assert buffer.flushed == 0
    await _call(_by_messages(started), "blocking")
    assert buffer.flushed == 1
    await _call(started, "zeta")
    assert buffer.flushed == 2


@pytest.mark.usefixtures("started")
async def test_refuses_a_second_app(tmp_path: Path) -> None:
    (tmp_path / _SCRIPT).write_text("")
    with pytest.raises(IndexingError, match="already holds another"):
        await Worker().start(tmp_path)


@pytest.mark.usefixtures("started")
async def test_refuses_a_folder_without_the_script(tmp_path: Path) -> None:
    with pytest.raises(IndexingError, match=os.environ["PYTHON_SCRIPT_FILE_NAME"]):
        await Worker().start(tmp_path)
