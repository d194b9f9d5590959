import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from funchost.shutdown import returns_within
from tests.funchost.hosting import Gate, RunningHost, gate, running, write_app

_APP = """
import asyncio
import logging
import os
import socket

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="hold")
async def hold(req: func.HttpRequest, context: func.Context) -> str:
    logging.getLogger("sample").error("before the gate")
    print("printed before the gate")
    reader, _ = await asyncio.open_connection("127.0.0.1", int(os.environ["GATE"]))
    await reader.read(1)
    return context.invocation_id


@app.route(route="hold-thread")
def hold_thread(req: func.HttpRequest, context: func.Context) -> str:
    logging.getLogger("sample").error("before the gate")
    print("printed before the gate")
    with socket.create_connection(("127.0.0.1", int(os.environ["GATE"]))) as connection:
        connection.recv(1)
    return context.invocation_id
"""
_IMPATIENT = """
import runpy
from funchost import shutdown
shutdown.GRACE_SECONDS = 0.2
runpy.run_module("funchost", run_name="__main__", alter_sys=True)
"""
_PATHS = ["/api/hold", "/api/hold-thread"]


@pytest.fixture
def held() -> Iterator[Gate]:
    with gate() as opened:
        yield opened


@pytest.fixture(params=["1", "2"], ids=["in-process", "two-processes"])
def environ(request: pytest.FixtureRequest, held: Gate) -> dict[str, str]:
    return {"FUNCTIONS_WORKER_PROCESS_COUNT": request.param, **held.environ}


@pytest.fixture
def host(environ: dict[str, str], tmp_path: Path) -> Iterator[RunningHost]:
    with running(write_app(tmp_path, _APP), "--verbose", environ=environ) as started:
        yield started


@pytest.mark.parametrize("path", _PATHS)
def test_a_request_that_runs_is_answered_whoever_asks_to_stop(
    host: RunningHost, held: Gate, path: str
) -> None:
    answer = host.call_meanwhile(path)
    with held.arrival() as arrived:
        # As on a terminal: Ctrl-C for all, then the word of whoever started the host.
        host.process.send_signal(signal.SIGINT)
        host.wait_for_log("stopping; ")
        host.process.send_signal(signal.SIGTERM)
        arrived.sendall(b"x")
        assert answer.result().status == 200
    assert host.process.wait(20) == 0
    assert "Traceback" not in host.log()


@pytest.mark.parametrize(
    ("path", "number"), [(_PATHS[0], signal.SIGINT), (_PATHS[1], signal.SIGTERM)]
)
def test_the_same_signal_again_ends_it_at_once(
    host: RunningHost, held: Gate, path: str, number: signal.Signals
) -> None:
    answer = host.call_meanwhile(path)
    with held.arrival() as arrived:
        host.process.send_signal(number)
        host.wait_for_log("stopping; ")
        host.process.send_signal(number)
        assert arrived.recv(1) == b""
    assert host.process.wait(20) == 0
    assert answer.exception() is not None
    assert "stopping without it" in host.log()
    assert "Traceback" not in host.log()


def test_a_request_that_takes_too_long_is_given_up(
    environ: dict[str, str], held: Gate, tmp_path: Path
) -> None:
    app = write_app(tmp_path, _APP)
    with running(app, environ=environ, program=("-c", _IMPATIENT)) as host:
        answer = host.call_meanwhile("/api/hold-thread")
        with held.arrival() as arrived:
            assert host.stop(signal.SIGTERM) == 0
            assert arrived.recv(1) == b""
        assert answer.exception() is not None
        assert "stopping without it" in host.log()


@pytest.mark.parametrize("path", _PATHS)
def test_what_the_app_tells_appears_while_it_runs(host: RunningHost, held: Gate, path: str) -> None:
    answer = host.call_meanwhile(path)
    with held.arrival() as arrived:
        (seen,) = host.wait_for_log(
            r"ERROR   (?:\[worker \d\] )?\[(\S+)\] hold\S*: before the gate"
        )
        assert host.process.stdout is not None
        assert host.process.stdout.readline() == "printed before the gate\n"
        arrived.sendall(b"x")
        assert answer.result().text == seen


def test_a_call_that_blocks_is_left_alone() -> None:
    blocked = threading.Event()
    assert not returns_within(0.01, blocked.wait)
    blocked.set()
    assert returns_within(20, blocked.wait)
