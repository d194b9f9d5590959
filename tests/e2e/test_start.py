"""`make start` on a terminal of its own, as a person runs it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.e2e.processes import PATIENCE, ROOT, Process, client, free_ports
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


def assignments(ports: list[int]) -> list[str]:
    names = ("PORT", "SERVICE_PORT", "CONTROL_PORT")
    return [f"{name}={port}" for name, port in zip(names, ports, strict=True)]


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


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_taken_port_is_one_line_with_the_variable_to_change(index: int, ports: list[int]) -> None:
    with socket.create_server(("127.0.0.1", ports[index])):
        ended = subprocess.run(
            ["make", "--no-print-directory", "start", *assignments(ports)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert ended.returncode != 0
    line, *rest = ended.stderr.splitlines()
    assert f"Port {ports[index]} cannot be used" in line
    assert f"make start {('PORT', 'SERVICE_PORT', 'CONTROL_PORT')[index]}=" in line
    assert all(each.startswith("make") and "***" in each for each in rest)


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
