import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.funchost.hosting import Answer, refused, running, write_app

_ONE_FUNCTION = """
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

@app.route(route={route!r})
def only(req: func.HttpRequest) -> str:
    return "here"
"""
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
        f"{tmp_path / 'local.settings.json'}: Host.CORS: '*' does not go together with "
        "Host.CORSCredentials, browsers refuse it: list the origins in Host.CORS, for example "
        "http://localhost:3000, or set Host.CORSCredentials to false\n"
    )


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
        *("--auth", "--keys", "--verbose"),
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
