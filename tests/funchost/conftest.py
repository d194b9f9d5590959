from collections.abc import Iterator

import pytest

from funchost.worker.interface import Interface
from tests.funchost.hosting import RunningHost, running, write_app

_APP = """
import asyncio
import json
import logging
import os
import signal

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def described(req, context=None):
    trace = context.trace_context if context else None
    return func.HttpResponse(
        json.dumps(
            {
                "method": req.method,
                "url": req.url,
                "headers": dict(req.headers),
                "query": dict(req.params),
                "params": dict(req.route_params),
                "body": req.get_body().hex(),
                "trace": [trace.trace_parent, trace.trace_state] if trace else None,
                "invocation": context.invocation_id if context else None,
            }
        ),
        mimetype="application/json",
    )


@app.route(route="echo/{name?}")
async def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return described(req, context)


@app.route(route="sync", methods=["POST"])
def threaded(req: func.HttpRequest) -> func.HttpResponse:
    logging.getLogger("sample").info("the app speaks")
    return described(req)


@app.route(route="items/{id:int}", methods=["GET"])
async def item_by_number(req: func.HttpRequest) -> str:
    return f"number {req.route_params['id']}"


@app.route(route="items/{name}", methods=["GET"])
async def item_by_name(req: func.HttpRequest) -> str:
    return f"name {req.route_params['name']}"


@app.route(route="files/{*path}", methods=["GET"])
async def files(req: func.HttpRequest) -> str:
    return req.route_params.get("path", "none")


@app.function_name("unrouted")
@app.route()
async def handler_without_route(req: func.HttpRequest) -> str:
    return "found by its name"


@app.route(route="cookies")
async def cookies(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse("set")
    response.headers.add("Set-Cookie", "a=1/2; Path=/app; HttpOnly; Secure; SameSite=Strict")
    response.headers.add("Set-Cookie", "b=2; Max-Age=60; Domain=example.org")
    response.headers.add("Set-Cookie", "c=3; Expires=Wed, 21 Oct 2026 07:28:00 GMT; SameSite=None")
    return response


@app.route(route="headers")
async def headers(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(
        "four",
        status_code=203,
        headers={
            "X-Own": "yes",
            "Vary": "Accept",
            "Content-Length": "999",
            "Transfer-Encoding": "chunked",
            "Keep-Alive": "timeout=1",
        },
    )


@app.route(route="empty")
async def empty(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(status_code=204)


@app.route(route="fails")
async def fails(req: func.HttpRequest) -> func.HttpResponse:
    raise LookupError("what went wrong")


@app.route(route="quits")
def quits(req: func.HttpRequest) -> str:
    raise SystemExit(3)


@app.route(route="quits-async")
async def quits_async(req: func.HttpRequest) -> str:
    raise SystemExit(3)


@app.route(route="cancels")
def cancels(req: func.HttpRequest) -> str:
    raise asyncio.CancelledError("on its own")


@app.route(route="cancels-async")
async def cancels_async(req: func.HttpRequest) -> str:
    raise asyncio.CancelledError("on its own")


@app.route(route="nothing")
async def nothing(req: func.HttpRequest) -> func.HttpResponse:
    return None


@app.route(route="out")
async def out(req: func.HttpRequest) -> str:
    return os.environ[req.params["name"]]


@app.schedule(schedule="0 0 * * * *", arg_name="timer")
def clock(timer: func.TimerRequest) -> None:
    pass
"""

_LOCAL_SETTINGS = {
    "IsEncrypted": False,
    "Values": {"FROM_FILE": "file", "FROM_BOTH": "file", "NUMBER": 7},
    "Host": {"CORS": "http://page.example, http://other.example:81", "CORSCredentials": True},
}


@pytest.fixture(scope="session", params=list(Interface))
def interface(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session", params=["1", "2"], ids=["in-process", "two-processes"])
def host(
    request: pytest.FixtureRequest, interface: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningHost]:
    app = write_app(tmp_path_factory.mktemp("app"), _APP, local_settings=_LOCAL_SETTINGS)
    environ = {
        "FROM_BOTH": "environment",
        "PYTHON_THREADPOOL_THREAD_COUNT": "2",
        "FUNCTIONS_WORKER_PROCESS_COUNT": request.param,
    }
    with running(app, "--worker", interface, environ=environ) as started:
        yield started
