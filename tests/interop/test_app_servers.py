"""What is made of app servers and clients that do not do what they should."""

import json
import sys
from pathlib import Path

import pytest

from interop.app_servers.checks import Check
from interop.app_servers.clients import all_checks
from interop.app_servers.stage import Programs, Stage
from interop.checks import FAILED
from interop.library import Program

NAME = "Microsoft.AspNetCore.SignalR.Client"
PROGRAMS = """
import pathlib, sys, time
if sys.argv[1] == "app-server":
    print("Hub is now connected to the service", "Now listening on it", sep="\\n", flush=True)
    time.sleep(60)
sys.stdout.write(pathlib.Path(sys.argv[2]).read_text().replace("OPTIONS", " ".join(sys.argv[3:])))
"""


def line(kind: str, **more: object) -> str:
    return json.dumps({"kind": kind, **more}) + "\n"


def made(name: str, ok: bool) -> str:
    return line(
        "check", check=name, ok=ok, transport="WebSockets", protocol="json",
        error=None if ok else "nothing came",
    )  # fmt: skip


START = line("start", client=f"{NAME}.Core, Version=11.0.0.0")
END = line("end")


def outcome(tmp_path: Path, *lines: str) -> tuple[str, str]:
    """Check a client that reports these lines, at an app server that says that it is ready."""
    said = tmp_path / "said"
    said.write_text("".join(lines))
    script = tmp_path / "programs.py"
    script.write_text(PROGRAMS)
    dotnet = [sys.executable, str(script)]
    program = Program(NAME, "11", [], [*dotnet, "client-11", str(said)])
    check = Check("a client", all_checks(program, "key"))
    return check.outcome(Programs(dotnet, [], tmp_path))


def test_all_checks_of_a_client_are_counted(tmp_path: Path) -> None:
    lines = (START, made("hub: echo", True), made("hub: a stream", True), END)
    assert outcome(tmp_path, *lines) == ("2 of 2 checks", "")


def test_checks_that_fail_are_told(tmp_path: Path) -> None:
    lines = (START, made("hub: echo", True), made("hub: a stream OPTIONS", False), END)
    word, detail = outcome(tmp_path, *lines)
    assert word == FAILED
    assert detail.startswith("1 of 2 checks have failed: hub: a stream --hub-url http://127.0.0.1:")
    assert detail.endswith("/chat (WebSockets, json): nothing came")


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ((START, END), "0 of 0 checks have failed"),
        ((START,), "the program ended before its checks"),
        ((), "the program is one of nothing"),
    ],
)
def test_a_client_that_checks_nothing_has_not_passed(
    tmp_path: Path, lines: tuple[str, ...], problem: str
) -> None:
    word, detail = outcome(tmp_path, *lines)
    assert word == FAILED
    assert problem in detail


def test_an_app_server_that_ends_is_a_failure_that_shows_what_it_said(tmp_path: Path) -> None:
    def start(stage: Stage) -> None:
        stage.app_server()

    programs = Programs([sys.executable, "-c", "print('no runtime')"], [], tmp_path)
    word, detail = Check("a server", start).outcome(programs)
    assert word == FAILED
    assert "no runtime" in detail
