import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.funchost.hosting import Gate, RunningHost, gate, refused, running, write_app

_APP = """
import asyncio
import logging
import os

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="pid")
async def pid(req: func.HttpRequest) -> str:
    return str(os.getpid())


@app.route(route="hold")
async def hold(req: func.HttpRequest) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(os.environ["GATE"]))
    await reader.read(1)
    return str(os.getpid())


@app.route(route="die")
def die(req: func.HttpRequest) -> str:
    os._exit(3)


@app.route(route="log")
def log(req: func.HttpRequest, context: func.Context) -> str:
    logging.getLogger("sample").warning("the app speaks")
    return context.invocation_id
"""
_TWO = {"FUNCTIONS_WORKER_PROCESS_COUNT": "2"}


@pytest.fixture
def held() -> Iterator[Gate]:
    with gate() as opened:
        yield opened


@pytest.fixture
def host(held: Gate, tmp_path: Path) -> Iterator[RunningHost]:
    with running(write_app(tmp_path, _APP), environ=_TWO | held.environ) as started:
        yield started


def _pids(host: RunningHost, calls: int) -> set[str]:
    return {host.call("GET", "/api/pid").text for _ in range(calls)}


def test_requests_take_turns_and_keep_off_a_busy_process(host: RunningHost, held: Gate) -> None:
    both = _pids(host, 2)
    assert len(both) == 2
    assert str(host.process.pid) not in both
    first = host.call_meanwhile("/api/hold")
    with held.arrival() as arrived:
        idle = _pids(host, 5)
        assert len(idle) == 1
        arrived.sendall(b"x")
        assert {first.result().text} == both - idle


def test_a_process_that_ends_takes_its_requests_along_and_is_replaced(
    host: RunningHost, held: Gate
) -> None:
    before = _pids(host, 2)
    waiting = [host.call_meanwhile("/api/hold") for _ in before]
    with held.arrival() as one, held.arrival() as another:
        os.kill(int(min(before)), signal.SIGKILL)
        host.wait_for_log(r"worker \d \(process \d+\) ended with status -9")
        host.wait_for_log(r"worker \d \(process \d+\) is ready")
        for arrived in (one, another):
            arrived.sendall(b"x")
        answers = sorted((answer.result() for answer in waiting), key=lambda each: each.status)
    assert [(answer.status, answer.text) for answer in answers] == [(200, max(before)), (500, "")]
    after = _pids(host, 2)
    assert len(after) == 2
    assert min(before) not in after
    assert host.stop() == 0


def test_requests_wait_while_every_process_is_replaced(host: RunningHost) -> None:
    before = _pids(host, 2)
    for _ in before:
        answer = host.call("GET", "/api/die")
        assert (answer.status, answer.body) == (500, b"")
    assert not _pids(host, 1) & before
    host.wait_for_log(r"ended with status 3; starting another one", 2)
    host.wait_for_log(r"worker \d \(process \d+\) is ready", 2)
    assert len(_pids(host, 2) - before) == 2


def test_a_process_that_cannot_be_replaced_leaves_the_other_one_working(
    host: RunningHost, tmp_path: Path
) -> None:
    (tmp_path / "function_app.py").write_text("1 / 0")
    assert host.call("GET", "/api/die").status == 500
    host.wait_for_log(
        r"worker \d cannot be replaced yet: function_app.py:1: ZeroDivisionError: division by zero"
    )
    assert len(_pids(host, 3)) == 1


def test_records_tell_worker_level_invocation_and_function(tmp_path: Path) -> None:
    with running(write_app(tmp_path, _APP), "--verbose", environ=_TWO) as host:
        ids = {host.call("GET", "/api/log").text for _ in range(2)}
        lines = host.wait_for_log(
            r"WARNING \[worker [12]\] \[[0-9a-f-]{36}\] log: the app speaks", 2
        )
    assert {line[8:18] for line in lines} == {"[worker 1]", "[worker 2]"}
    assert {line[20:56] for line in lines} == ids


def test_processes_end_with_a_host_that_is_killed(host: RunningHost, held: Gate) -> None:
    host.call_meanwhile("/api/hold")
    with held.arrival() as arrived:
        host.process.kill()
        assert arrived.recv(1) == b""


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("raise ValueError('set X to Y')", "ValueError: set X to Y\n"),
        ("import os\nos._exit(4)", "ended with status 4 before the app was loaded\n"),
    ],
)
def test_an_app_that_cannot_be_loaded_is_one_line(
    tmp_path: Path, source: str, message: str
) -> None:
    code, error = refused(write_app(tmp_path, source), "--port", "0", environ=_TWO)
    assert code == 1
    assert error.endswith(message)
    assert len(error.splitlines()) == 1


def test_a_signal_while_the_app_is_imported_ends_every_process(held: Gate, tmp_path: Path) -> None:
    source = """
import os, signal, socket
gate = socket.create_connection(("127.0.0.1", int(os.environ["GATE"])))
gate.recv(1)
os.kill(os.getppid(), signal.SIGTERM)
while True: pass
"""
    app, environ = write_app(tmp_path, source), _TWO | held.environ
    with ThreadPoolExecutor() as meanwhile:
        ended = meanwhile.submit(refused, app, "--port", "0", environ=environ)
        with held.arrival() as one, held.arrival() as another:
            one.sendall(b"x")
            assert one.recv(1) == another.recv(1) == b""
        assert ended.result() == (0, "")


@pytest.mark.parametrize("count", ["0", "11", "two", "-1", "1_0"])
def test_a_wrong_count_is_one_line(tmp_path: Path, count: str) -> None:
    environ = {"FUNCTIONS_WORKER_PROCESS_COUNT": count}
    code, error = refused(write_app(tmp_path, ""), environ=environ)
    assert (code, error) == (
        1,
        f"FUNCTIONS_WORKER_PROCESS_COUNT must be a number from 1 to 10, not '{count}'\n",
    )
