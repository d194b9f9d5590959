"""`make start` on a terminal of its own, as a person runs it."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.e2e.processes import PATIENCE, ROOT, Process, client, free_ports
from tests.e2e.test_route_prefix import app_folder as copy_app
from tests.scripted_service import Reply, scripted_service

ON_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


@pytest.fixture
def ports() -> list[int]:
    """Other ones in each test: it looks whether they are free again."""
    return free_ports(3)


@pytest.fixture
def keyboard() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    os.close(writer)


NAMES = ("PORT", "SERVICE_PORT", "CONTROL_PORT")


def assignments(ports: list[int]) -> list[str]:
    return [f"{name}={port}" for name, port in zip(NAMES, ports, strict=True)]


def assert_free(ports: list[int]) -> None:
    for port in ports:
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            pass


def test_make_start_runs_both_until_ctrl_c(
    ports: list[int], keyboard: tuple[int, int], tmp_path: Path
) -> None:
    reader, writer = keyboard
    command = [sys.executable, "-c", ON_A_TERMINAL, "make", "start", *assignments(ports)]
    make = Process(command, tmp_path / "make.log", keyboard=reader)
    os.close(reader)
    make.wait_for(r"Ctrl-C stops both\.")
    with client(f"http://127.0.0.1:{ports[0]}/api") as connected:
        connected.connection_id()
        answer = requests.post(
            f"http://127.0.0.1:{ports[0]}/api/broadcast",
            json={"target": "newMessage", "arguments": ["Hello"]},
            timeout=PATIENCE,
        )
        assert answer.status_code == 202
        assert connected.message() == ["Hello"]
        connected.call("send", "sendMessage", "Hello from a client")
        connected.next("sent")
        assert connected.message()[1] == "Hello from a client"
    os.write(writer, b"\x03")
    assert make.process.wait(PATIENCE) == 0, make.output
    assert "Traceback" not in make.output
    assert "***" not in make.output
    assert_free(ports)


# As a shell starts what a script runs in its background: with Ctrl-C ignored.
IN_THE_BACKGROUND = ("sh", "-c", "trap '' INT; exec \"$@\"", "sh")


@pytest.mark.parametrize("shell", [(), IN_THE_BACKGROUND], ids=["foreground", "background"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_both(
    number: int, shell: tuple[str, ...], ports: list[int], tmp_path: Path
) -> None:
    options = ("--port", "--service-port", "--control-port")
    pairs = [part for pair in zip(options, map(str, ports), strict=True) for part in pair]
    start = Process([*shell, sys.executable, "start.py", *pairs], tmp_path / "start.log")
    start.wait_for(r"Ctrl-C stops both\.")
    start.process.send_signal(number)
    assert start.process.wait(PATIENCE) == 0, start.output
    assert "Traceback" not in start.output
    assert_free(ports)


def test_a_proxy_of_the_environment_is_asked_for_nothing(ports: list[int], tmp_path: Path) -> None:
    here = requests.Session()
    here.trust_env = False
    with scripted_service(lambda _: Reply(502)) as proxy:
        names = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY")
        environment = {"NO_PROXY": "", "no_proxy": "", **dict.fromkeys(names, proxy.url)}
        options = zip(("--port", "--service-port", "--control-port"), map(str, ports), strict=True)
        command = [sys.executable, "start.py", *(part for pair in options for part in pair)]
        start = Process(command, tmp_path / "start.log", environment=environment)
        try:
            start.wait_for(r"Ctrl-C stops both\.")
            with client(f"http://127.0.0.1:{ports[0]}/api") as connected:
                connected.connection_id()
                url = f"http://127.0.0.1:{ports[0]}/api/broadcast"
                message = {"target": "newMessage", "arguments": ["Hello"]}
                assert here.post(url, json=message, timeout=PATIENCE).status_code == 202
                assert connected.message() == ["Hello"]
                # The service calls upstream, and the app looks for the keys of its token.
                connected.call("send", "sendMessage", "Hello from a client")
                connected.next("sent")
                assert connected.message()[1] == "Hello from a client"
        finally:
            assert start.stop() == 0, start.output
    assert proxy.received == []
    assert_free(ports)


@pytest.mark.parametrize("taken", [[0], [1], [2], [0, 1, 2]], ids=str)
def test_taken_ports_are_one_line_with_free_ones_to_choose(
    taken: list[int], ports: list[int]
) -> None:
    with contextlib.ExitStack() as stack:
        for index in taken:
            stack.enter_context(socket.create_server(("127.0.0.1", ports[index])))
        # The one that comes to mind next is taken as well.
        with contextlib.suppress(OSError):
            stack.enter_context(socket.create_server(("127.0.0.1", max(ports) + 1)))
        ended = run("make", "--no-print-directory", "start", *assignments(ports))
        line, *rest = ended.stderr.splitlines()
        proposed = dict(part.split("=") for part in line.partition("make start ")[2].split())
        for port in proposed.values():
            socket.create_server(("127.0.0.1", int(port))).close()
    assert ended.returncode != 0
    assert list(proposed) == [NAMES[index] for index in taken]
    assert len({*proposed.values(), *map(str, ports)}) == len(proposed) + len(ports)
    for index in taken:
        assert f"ort {ports[index]} cannot be used (Address already in use)" in line
    assert all(each.startswith("make") and "***" in each for each in rest)


def test_without_make_the_options_are_named(ports: list[int]) -> None:
    with socket.create_server(("127.0.0.1", ports[1])):
        ended = run(*start_command(ROOT, ports))
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert re.search(r"Choose another one: python start\.py --service-port \d+$", line)


def test_what_is_no_port_is_one_line(ports: list[int]) -> None:
    ended = run(*start_command(ROOT, [70_000, *ports[1:]]))
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert "Port 70000 cannot be used (it is none from 0 to 65535)" in line


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**{name: value for name, value in os.environ.items() if name != "MAKELEVEL"}}
        | environment,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )


def start_command(folder: Path, ports: list[int], *options: str) -> list[str]:
    pairs = zip(("--port", "--service-port", "--control-port"), map(str, ports), strict=True)
    named = [part for pair in pairs for part in pair]
    return [sys.executable, str(folder / "start.py"), *named, *options]


def test_the_readme_shows_what_is_printed(ports: list[int], tmp_path: Path) -> None:
    (sample,) = re.findall(
        r"^```text\n(Keyless SignalR is running.*?)^```$",
        (ROOT / "README.md").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    for written, port in zip((7071, 8888, 8889), ports, strict=True):
        sample = sample.replace(f"127.0.0.1:{written}", f"127.0.0.1:{port}")
    folder = app_folder(tmp_path)
    (folder / "local.settings.json").write_bytes(
        (ROOT / "local.settings.json.example").read_bytes()
    )
    start = Process(start_command(folder, ports), tmp_path / "start.log")
    try:
        start.wait_for(r"Ctrl-C stops both\.$")
        url = f"http://127.0.0.1:{ports[0]}/api"
        negotiated = requests.post(f"{url}/negotiate?code=secret", timeout=PATIENCE)
        assert negotiated.status_code == 200
        assert requests.get(f"{url}/nowhere", timeout=PATIENCE).status_code == 404
    finally:
        assert start.stop() == 0, start.output
    assert start.output.startswith(sample)
    first, second = start.output.removeprefix(sample).splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d POST /api/negotiate 200 \d+ ms", first)
    assert re.fullmatch(r"\d\d:\d\d:\d\d GET /api/nowhere 404 \d+ ms", second)


STOCK = """
import logging
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

@app.route(route="stock")
def stock(req: func.HttpRequest) -> str:
    logging.info("counted")
    logging.warning("it is low")
    return "1"
"""


def test_warnings_of_functions_are_shown_with_their_name(ports: list[int], tmp_path: Path) -> None:
    said = said_about_stock(start_command(app_folder(tmp_path, STOCK), ports), ports, tmp_path)
    warned, answered = said.partition("Ctrl-C stops both.\n")[2].splitlines()
    assert warned.endswith(" WARNING stock: it is low")
    assert " GET /api/stock 200 " in answered


def test_verbose_shows_all_the_rest(ports: list[int], tmp_path: Path) -> None:
    command = start_command(app_folder(tmp_path, STOCK), ports, "--verbose")
    said = said_about_stock(command, ports, tmp_path)
    for part in ("Emulator ready.", "Functions host ready on ", "stock: counted", " DEBUG "):
        assert part in said
    assert re.search(r"emulator: GET /emulator/state 200 \d+ ms", said)


def said_about_stock(command: list[str], ports: list[int], folder: Path) -> str:
    start = Process(command, folder / "start.log")
    try:
        start.wait_for(r"^Ctrl-C stops both\.$")
        assert requests.get(f"http://127.0.0.1:{ports[0]}/api/stock", timeout=PATIENCE).text == "1"
        requests.get(f"http://127.0.0.1:{ports[2]}/emulator/state", timeout=PATIENCE)
    finally:
        assert start.stop() == 0, start.output
    return start.output


def test_verbose_is_a_variable_of_make(ports: list[int]) -> None:
    for value, options in (("1", "--verbose"), ("0", ""), ("", "")):
        ended = run("make", "--dry-run", "start", *assignments(ports), f"VERBOSE={value}")
        assert ended.stdout.splitlines()[-1].partition(f"{ports[2]} ")[2].strip() == options


def test_a_start_that_fails_says_why(ports: list[int], tmp_path: Path) -> None:
    folder = app_folder(tmp_path, "raise LookupError('no stock')")
    ended = run(*start_command(folder, ports))
    assert ended.returncode == 1
    assert "LookupError: no stock" in ended.stderr
    assert ended.stderr.splitlines()[-1] == "The function app did not start."
    assert "is running" not in ended.stdout
    assert_free(ports)


def test_without_npm_it_runs_without_the_demo_page(ports: list[int], tmp_path: Path) -> None:
    folder = app_folder(tmp_path)
    (folder / "demo").unlink()
    unknown = shutil.ignore_patterns("node_modules", "signalr.js")
    shutil.copytree(ROOT / "demo", folder / "demo", ignore=unknown)
    start = Process(start_command(folder, ports), tmp_path / "log", environment={"PATH": ""})
    reason = "Node.js with npm is needed for the real SignalR client"
    try:
        start.wait_for(rf"^  Demo           left out\. {re.escape(reason)}$")
        start.wait_for(r"^Ctrl-C stops both\.$")
        page = requests.get(f"http://127.0.0.1:{ports[0]}/api/demo", timeout=PATIENCE)
        assert page.status_code == 404
        assert "Install Node.js with npm" in page.json()["detail"]
    finally:
        assert start.stop() == 0, start.output


def test_a_python_without_packages_runs_it_with_those_of_venv(
    ports: list[int], tmp_path: Path
) -> None:
    folder = app_folder(tmp_path, STOCK)
    (folder / "emulator").mkdir()
    for name in ("requirements-dev.txt", "emulator/pyproject.toml"):
        (folder / name).touch()
        os.utime(folder / name, (0, 0))
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/ready").touch()
    python = folder / ".venv/bin/python"
    python.write_text(f'#!/bin/sh\necho "by .venv"\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    interpreter, *arguments = start_command(folder, ports)
    said = said_about_stock([interpreter, "-S", *arguments], ports, tmp_path)
    # The emulator's standard output is not shown.
    assert said.splitlines().count("by .venv") == 1
    assert "Setting up" not in said


def test_a_set_up_that_fails_shows_what_pip_says(ports: list[int], tmp_path: Path) -> None:
    folder = app_folder(tmp_path, STOCK)
    (folder / "emulator").mkdir()
    (folder / "emulator/pyproject.toml").touch()
    wanted = f"no-such-package==1.0 --hash=sha256:{64 * '0'}\n"
    (folder / "requirements-dev.txt").write_text(wanted)
    interpreter, *arguments = start_command(folder, ports)
    ended = run(interpreter, "-S", *arguments, PIP_NO_INDEX="1")
    assert ended.returncode == 1
    assert ended.stdout == "Setting up .venv (once, about a minute) ...\n"
    assert "No matching distribution found for no-such-package==1.0" in ended.stderr
    assert ended.stderr.splitlines()[-1].endswith(" failed.")
    assert not (folder / ".venv/ready").exists()


def app_folder(folder: Path, app: str | None = None) -> Path:
    """Make a folder with this app, or another in its place."""
    made = folder / "app"
    made.mkdir()
    copy_app(made, '{"version": "2.0"}')
    if app is not None:
        (made / "function_app.py").write_text(app)
    return made


def test_an_older_python_that_starts_it_is_one_line() -> None:
    old = "import runpy, sys; sys.version_info = (3, 11, 9); runpy.run_path('start.py')"
    ended = run(sys.executable, "-c", old)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert "Python 3.13 or newer is needed" in line
    assert "python3.13 start.py" in line


def test_an_older_python_is_one_line(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.11.7"\nexit 1\n')
    old.chmod(0o755)
    for name in ("Makefile", "requirements-dev.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "emulator").mkdir()
    (tmp_path / "emulator" / "pyproject.toml").touch()
    ended = subprocess.run(
        ["make", "--no-print-directory", "start", f"PYTHON={old}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode != 0
    line, *rest = ended.stderr.splitlines()
    assert "Python 3.13 or newer is needed" in line
    assert "3.11.7" in line
    assert all(each.startswith("make") and "***" in each for each in rest)
    assert not (tmp_path / ".venv").exists()
