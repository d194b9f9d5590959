import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from funchost.worker.functions import Function, IndexingError, InvocationError
from funchost.worker.messages import HttpRequest
from funchost.worker.runtime import Worker

_SCRIPT = "sample_app_of_the_worker_test.py"
_APP = """
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

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
"""


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    folder = tmp_path_factory.mktemp("worker")
    (folder / _SCRIPT).write_text(_APP)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(Path.cwd())
        patch.setattr(sys, "path", list(sys.path))
        patch.setenv("PYTHON_SCRIPT_FILE_NAME", _SCRIPT)
        started = Worker()
        asyncio.run(started.start(folder))
        yield started
        started.stop()


def _function(worker: Worker, name: str) -> Function:
    return next(function for function in worker.functions if function.name == name)


def _request() -> HttpRequest:
    return HttpRequest("POST", "http://host/api", params={"x": "value"})


def test_describes_the_functions_by_name(worker: Worker) -> None:
    assert [function.name for function in worker.functions] == [
        "Alpha",
        "parameter",
        "silent",
        "status",
        "zeta",
    ]
    alpha, zeta = _function(worker, "Alpha"), _function(worker, "zeta")
    assert (alpha.route, alpha.methods, alpha.auth_level) == ("Alpha", (), "FUNCTION")
    assert (zeta.route, zeta.methods, zeta.auth_level) == ("z/{x}", ("GET", "POST"), "ANONYMOUS")
    assert zeta.is_http
    assert zeta.unserved == ()


async def test_invokes_with_the_given_id(worker: Worker) -> None:
    answer = await worker.invoke(_function(worker, "zeta"), _request(), "the-id")
    assert (answer.status, answer.body, answer.headers["X-Id"]) == (201, b"value", "the-id")


async def test_makes_an_id_of_its_own(worker: Worker) -> None:
    zeta = _function(worker, "zeta")
    ids = {(await worker.invoke(zeta, _request())).headers["X-Id"] for _ in range(10)}
    assert len(ids) == 10


async def test_an_out_parameter_is_the_response(worker: Worker) -> None:
    answer = await worker.invoke(_function(worker, "parameter"), _request())
    assert (answer.status, answer.body) == (200, b"set")


async def test_a_function_that_sets_no_response_answers_204(worker: Worker) -> None:
    assert (await worker.invoke(_function(worker, "silent"), _request())).status == 204


async def test_a_failure_carries_message_and_trace(worker: Worker) -> None:
    with pytest.raises(InvocationError, match="RuntimeError: told you") as failure:
        await worker.invoke(_function(worker, "Alpha"), _request())
    assert "Traceback" in failure.value.stack_trace


async def test_a_status_that_is_none_is_a_failure(worker: Worker) -> None:
    with pytest.raises(InvocationError, match="status code 'many'"):
        await worker.invoke(_function(worker, "status"), _request())


@pytest.mark.usefixtures("worker")
async def test_refuses_a_second_app(tmp_path: Path) -> None:
    (tmp_path / _SCRIPT).write_text("")
    with pytest.raises(IndexingError, match="already holds another"):
        await Worker().start(tmp_path)


@pytest.mark.usefixtures("worker")
async def test_refuses_a_folder_without_the_script(tmp_path: Path) -> None:
    with pytest.raises(IndexingError, match=os.environ["PYTHON_SCRIPT_FILE_NAME"]):
        await Worker().start(tmp_path)
