import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from load.processes import PATIENCE, Process, free_port
from tests.funchost.hosting import Answer, refused, running, write_app

_ONE_FUNCTION = """
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

@app.route(route={route!r})
def only(req: func.HttpRequest) -> str:
    return "here"
"""
_ASKS_TO_POST = {"Access-Control-Request-Method": "POST"}
_STOPS_ITSELF = """
import asyncio
import os
import signal

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="stop")
async def stop(req: func.HttpRequest) -> str:
    host, port = os.environ["WEBSITE_HOSTNAME"].split(":")
    os.kill(os.getpid(), signal.SIGTERM)
    while True:
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            return "no new connection after the signal"
        writer.close()
        await writer.wait_closed()
"""


def test_sigint_ends_it_without_a_word(tmp_path: Path) -> None:
    app = write_app(
        tmp_path, _ONE_FUNCTION.format(route="a"), host_json=_host_json(route_prefix="")
    )
    with running(app) as host:
        assert host.call("GET", "/a").text == "here"
        assert host.stop(signal.SIGINT) == 0
        assert "Traceback" not in host.log()


def _host_json(route_prefix: str) -> dict[str, object]:
    return {"version": "2.0", "extensions": {"http": {"routePrefix": route_prefix}}}


def test_sigterm_lets_a_running_request_finish(tmp_path: Path) -> None:
    with running(write_app(tmp_path, _STOPS_ITSELF)) as host:
        answers: list[Answer] = []
        caller = threading.Thread(target=lambda: answers.append(host.call("GET", "/api/stop")))
        caller.start()
        assert host.process.wait(20) == 0
        caller.join()
        assert [answer.text for answer in answers] == ["no new connection after the signal"]
        assert "Traceback" not in host.log()


def test_warns_where_azure_would_choose_another_function(tmp_path: Path) -> None:
    source = """
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

@app.route(route="{any}")
def a(req: func.HttpRequest) -> str:
    return "a"

@app.route(route="literal")
@app.generic_input_binding(arg_name="info", type="signalRConnectionInfo", hubName="h")
def b(req: func.HttpRequest, info: str) -> str:
    return "b"
"""
    with running(write_app(tmp_path, source), "--verbose") as host:
        assert "Azure goes by function name and calls a" in host.log()
        assert "b: this host does not serve the binding info: signalRConnectionInfo" in host.log()


_SPEAKS = _ONE_FUNCTION.format(route="a").replace(
    'return "here"',
    """
    import logging, os
    logging.info("not that much")
    logging.warning("the stock is low")
    print("printed")
    return os.environ["FROM_ALL"]
""",
)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_quiet_leaves_warnings_with_their_function_and_a_line_a_request(
    workers: str, tmp_path: Path
) -> None:
    port = free_port()
    command = [sys.executable, "-m", "funchost", "--app-dir", str(write_app(tmp_path, _SPEAKS))]
    environ = {"FUNCTIONS_WORKER_PROCESS_COUNT": workers, "FROM_ALL": "environment"}
    process = Process(
        [*command, "--quiet", "--port", str(port)], tmp_path / "log", environment=environ
    )
    until_open(port)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/a", timeout=PATIENCE) as answer:
        assert answer.read() == b"environment"
    assert process.stop() == 0
    warned, printed, answered = process.output.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d WARNING only: the stock is low", warned)
    assert printed == "printed"
    assert re.fullmatch(r"\d\d:\d\d:\d\d GET /api/a 200 \d+ ms", answered)


def until_open(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return


_LACKS_NATIVE = """
import sys
sys.modules["azure_functions_runtime.native_invocation"] = None
from funchost.__main__ import main
sys.exit(main())
"""
_WITHOUT_NATIVE = ("-c", _LACKS_NATIVE)
# The worker library writes it of what it gets as messages.
_BY_MESSAGES = "Function name: only, Function Type: sync"


@pytest.mark.parametrize(
    ("options", "by_messages"),
    [((), False), (("--worker", "native"), False), (("--worker", "protobuf"), True)],
)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_worker_library_is_called_as_the_option_says(
    options: tuple[str, ...], by_messages: bool, workers: str, tmp_path: Path
) -> None:
    app = write_app(tmp_path, _ONE_FUNCTION.format(route="a"))
    environ = {"FUNCTIONS_WORKER_PROCESS_COUNT": workers}
    with running(app, "--verbose", *options, environ=environ) as host:
        assert host.call("GET", "/api/a").text == "here"
        assert (_BY_MESSAGES in host.log()) is by_messages


def test_a_version_without_the_native_interface_gets_messages(tmp_path: Path) -> None:
    app = write_app(tmp_path, _ONE_FUNCTION.format(route="a"))
    with running(app, "--verbose", program=_WITHOUT_NATIVE) as host:
        assert host.call("GET", "/api/a").text == "here"
        assert _BY_MESSAGES in host.log()
        assert "the worker library has no native interface, so it gets messages" in host.log()


def test_the_native_interface_is_asked_of_a_version_without_it(tmp_path: Path) -> None:
    app = write_app(tmp_path, _ONE_FUNCTION.format(route="a"))
    options = ("--port", "0", "--worker", "native")
    code, error = refused(app, *options, program=_WITHOUT_NATIVE)
    assert code == 1
    assert re.fullmatch(
        r"azure-functions-runtime [\d.]+ has no native interface \(.+\): install 1\.3\.0, or start"
        r" the host with --worker protobuf\n",
        error,
    )


def test_a_setting_of_the_command_line_wins_without_a_warning(tmp_path: Path) -> None:
    app = write_app(tmp_path, _SPEAKS, local_settings={"Values": {"FROM_ALL": "file"}})
    with running(app, "--set", "FROM_ALL=a=b", environ={"FROM_ALL": "environment"}) as host:
        assert host.call("GET", "/api/a").text == "a=b"
        assert "FROM_ALL" not in host.log()


def test_what_is_no_setting_is_told(tmp_path: Path) -> None:
    status, told = refused(write_app(tmp_path, ""), "--set", "FROM_ALL")
    assert status == 2
    assert "'FROM_ALL' is no setting: write it as NAME=VALUE" in told


def test_colours_are_for_a_terminal_that_wants_them(tmp_path: Path) -> None:
    app = write_app(tmp_path, _ONE_FUNCTION.format(route="a"))
    painted = "\x1b[33m404\x1b[0m"
    assert painted in _on_a_terminal(app, {"TERM": "xterm", "NO_COLOR": ""})
    assert "GET /nowhere 404 " in _on_a_terminal(app, {"TERM": "xterm", "NO_COLOR": "1"})
    assert "GET /nowhere 404 " in _on_a_terminal(app, {"TERM": "dumb", "NO_COLOR": ""})
    with running(app) as host:
        host.call("GET", "/nowhere")
        assert "GET /nowhere 404 " in host.log()


def _on_a_terminal(app: Path, environ: dict[str, str]) -> str:
    """Return what the host writes to a terminal about a request to nowhere."""
    leader, follower = os.openpty()
    with running(app, environ=environ, errors=follower) as host:
        host.call("GET", "/nowhere")
        assert host.stop() == 0
    os.close(follower)
    said = os.read(leader, 4096).decode()
    os.close(leader)
    return said


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import a_module_that_is_not_there", "No module named 'a_module_that_is_not_there'"),
        ("raise ValueError('set X to the name of Y')", "ValueError: set X to the name of Y\n"),
        (_ONE_FUNCTION.format(route="{id:whole}"), "function only: route '{id:whole}'"),
    ],
)
def test_an_app_that_cannot_be_loaded_is_one_line(
    tmp_path: Path, source: str, message: str
) -> None:
    code, error = refused(write_app(tmp_path, source), "--port", "0")
    assert code == 1
    assert message in error
    assert len(error.splitlines()) == 1


def test_a_signal_while_the_app_is_imported_ends_it_quietly(tmp_path: Path) -> None:
    source = "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nwhile True: pass"
    assert refused(write_app(tmp_path, source), "--port", "0") == (0, "")


def test_verbose_adds_the_trace(tmp_path: Path) -> None:
    code, error = refused(write_app(tmp_path, "1 / 0"), "--port", "0", "--verbose")
    assert code == 1
    assert "Traceback" in error
    assert error.endswith("ZeroDivisionError: division by zero\n")


def test_a_taken_port_is_named_with_the_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, error = refused(write_app(tmp_path, ""), environ={"PORT": port})
    assert code == 1
    assert error == (
        f"cannot listen on 127.0.0.1 port {port}: Address already in use; "
        "choose another port with --port or PORT\n"
    )


def test_every_origin_with_credentials_is_refused(tmp_path: Path) -> None:
    settings = {"Host": {"CORS": "*", "CORSCredentials": True}}
    code, error = refused(write_app(tmp_path, "", local_settings=settings))
    assert code == 1
    assert error == (
        f"{tmp_path / 'local.settings.json'}:1:19: Host.CORS: '*' does not go together with "
        "Host.CORSCredentials, browsers refuse it: list the origins in Host.CORS, for example "
        "http://localhost:3000, or set Host.CORSCredentials to false\n"
    )


def test_pages_of_this_machine_may_call_with_cookies(tmp_path: Path) -> None:
    with running(write_app(tmp_path, _ONE_FUNCTION.format(route="a"))) as host:
        for origin in ("http://localhost:5173", "http://127.0.0.1:4200", "http://[::1]:8080"):
            page = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
            preflight = host.call("OPTIONS", "/api/a", headers=page | _ASKS_TO_POST)
            assert preflight.status == 204
            assert preflight.headers["Access-Control-Allow-Methods"] == "POST"
            answer = host.call("POST", "/api/a", headers=page)
            assert (answer.status, answer.text) == (200, "here")
            for each in (preflight, answer):
                assert each.headers["Access-Control-Allow-Origin"] == origin
                assert each.headers["Access-Control-Allow-Credentials"] == "true"
        for origin in ("http://foreign.example", "http://localhost.foreign.example", "null"):
            page = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
            preflight = host.call("OPTIONS", "/api/a", headers=page | _ASKS_TO_POST)
            answer = host.call("POST", "/api/a", headers=page)
            assert answer.status == 403
            for each in (preflight, answer, host.call("GET", "/api/a", headers=page)):
                assert "Access-Control-Allow-Origin" not in each.headers


def test_the_limit_of_a_body_is_a_setting(tmp_path: Path) -> None:
    settings = {"Values": {"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "4"}}
    app = write_app(tmp_path, _ONE_FUNCTION.format(route="a"), local_settings=settings)
    with running(app) as host:
        assert host.call("POST", "/api/a", b"1234").status == 200
        answer = host.call("POST", "/api/a", b"12345")
        assert (answer.status, answer.body) == (413, b"")


def test_the_help_tells_every_option_and_setting() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "funchost", "--help"],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    for name in (
        *("--app-dir", "--host", "--host-name", "--port", "--settings"),
        *("--auth", "--keys", "--reload", "--worker", "--set", "--quiet", "--verbose"),
        *("PORT", "FUNCTIONS_WORKER_PROCESS_COUNT", "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"),
        *("FUNCHOST_FUNCTION_KEY", "FUNCHOST_MASTER_KEY", "Host.CORS", "Host.CORSCredentials"),
        *("extensions.http.routePrefix", "PYTHON_THREADPOOL_THREAD_COUNT", "/.auth/login/"),
    ):
        assert name in done.stdout


def test_a_chosen_host_name_is_answered(tmp_path: Path) -> None:
    app = write_app(tmp_path, _ONE_FUNCTION.format(route="a"))
    with running(app, "--host-name", "App.Example.", "--host-name", "[2001:db8::7]") as host:
        for name in ("app.example", "APP.example:80", "[2001:db8::7]:7071", "localhost"):
            own = {"Host": name, "Origin": f"https://{name}"}
            assert host.call("POST", "/api/a", headers=own).status == 200
        assert host.call("GET", "/api/a", headers={"Host": "a.app.example"}).status == 403


def test_what_is_no_host_name_is_told(tmp_path: Path) -> None:
    app = write_app(tmp_path, _ONE_FUNCTION.format(route="a"))
    status, told = refused(app, "--host-name", "http://app.example")
    assert status == 2
    assert "'http://app.example' is no host name: write it without scheme and port" in told


def test_authentication_that_others_can_reach_is_warned_of(tmp_path: Path) -> None:
    app = write_app(tmp_path, _ONE_FUNCTION.format(route="a"))
    with running(app, "--auth", "--host", "0.0.0.0") as host:  # noqa: S104 - what is warned of
        assert "whoever reaches 0.0.0.0 signs in as anyone" in host.log()


def test_a_folder_without_an_app_is_refused(tmp_path: Path) -> None:
    code, error = refused(tmp_path)
    assert code == 1
    assert "host.json" in error
    assert "--app-dir" in error
