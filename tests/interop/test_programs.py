"""What programs report that make their own checks."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from interop.app import App
from interop.checks import FAILED
from interop.library import Program, Protocol, Transport, combinations
from interop.programs import reported

NAME = "Microsoft.AspNetCore.SignalR.Client"
START = {"kind": "start", "client": f"{NAME}.Core, Version=11.0.0.0, Culture=neutral"}
END = {"kind": "end", "passed": 1, "failed": 0}
BY_WEBSOCKETS, BY_POLLING = combinations(
    Transport.WEBSOCKETS, Transport.LONG_POLLING, protocols=[Protocol.JSON]
)
SAYS = """
import sys
print("Loading", "{ warming up }", '{"level": "info"}', sep="\\n")
for line in open(sys.argv[1]):
    print(line, end="")
print(*sys.argv[2:], file=sys.stderr)
"""


def check(name: str, ok: bool, protocol: str = "json", **more: object) -> dict[str, Any]:
    return {
        "kind": "check", "check": name, "protocol": protocol, "transport": "WebSockets", "ok": ok,
        **more,
    }  # fmt: skip


def program(tmp_path: Path, *lines: dict[str, Any], version: str = "11") -> Program:
    file = tmp_path / "lines"
    file.write_text("".join(json.dumps(each) + "\n" for each in lines))
    command = [sys.executable, "-c", SAYS, str(file)]
    return Program(NAME, version, [BY_WEBSOCKETS], command)


def test_checks_that_are_ours_too_have_our_names_and_words(running: App, tmp_path: Path) -> None:
    lines = [
        check("function: start", True),
        check("function: closed by the app, reconnects by itself", True),
        check("direct: stateful reconnect", True),
    ]
    found = reported(running, program(tmp_path, START, *lines, END))
    words = {name: each.word for name, each in found[BY_WEBSOCKETS].items()}
    assert words == {
        "connect": "yes",
        "closed by the app": "comes back",
        "direct: stateful reconnect": "yes",
    }


def test_one_failure_of_two_libraries_that_write_json_counts(running: App, tmp_path: Path) -> None:
    lines = [
        check("function: start", False, error="refused", seen={"status": 401}),
        check("function: start", True, protocol="newtonsoft"),
        check("function: broadcast", True),
        check("function: broadcast", False, protocol="newtonsoft", error="nothing came"),
    ]
    found = reported(running, program(tmp_path, START, *lines, END))[BY_WEBSOCKETS]
    assert found["connect"] == (FAILED, 'json: refused {"status": 401}')
    assert found["everyone"] == (FAILED, "newtonsoft: nothing came null")


def test_what_newtonsoft_makes_of_decimals_is_its_own(running: App, tmp_path: Path) -> None:
    name = "function: typed values to the connection"
    decimals = "InvalidOperationException: wrong: decimal-scale, decimal-digits"
    lines = [check("function: start", True), check(name, True)]
    for protocol, error, word in (
        ("newtonsoft", decimals, "yes"),
        ("newtonsoft", f"{decimals}, char", FAILED),
        ("json", decimals, FAILED),
    ):
        wrong = check(name, False, protocol=protocol, error=error)
        found = reported(running, program(tmp_path, START, *lines, wrong, END))
        assert found[BY_WEBSOCKETS]["connection"].word == word


def test_a_program_is_told_where_app_and_service_are(running: App, tmp_path: Path) -> None:
    found = reported(running, program(tmp_path, START))
    detail = found[BY_WEBSOCKETS]["connect"].detail
    service = running.rig.emulator.service_urls[0]
    assert f"--url {running.rig.app_url} --service {service}" in detail


@pytest.mark.parametrize(
    ("lines", "version", "problem"),
    [
        ([START], "11", "ended before its checks"),
        ([START, END], "10", "the program is one of Microsoft.AspNetCore.SignalR.Client.Core, Ver"),
        ([], "11", "the program is one of nothing"),
        ([START, END], "11", "did not try it"),
    ],
)
def test_nothing_that_is_not_reported_has_passed(
    running: App, tmp_path: Path, lines: list[dict[str, Any]], version: str, problem: str
) -> None:
    found = reported(running, program(tmp_path, *lines, version=version))
    assert set(found) == {BY_WEBSOCKETS}
    assert found[BY_WEBSOCKETS]["connect"].word == FAILED
    assert problem in found[BY_WEBSOCKETS]["connect"].detail


def test_what_is_reported_of_another_transport_is_no_matter(running: App, tmp_path: Path) -> None:
    said = program(tmp_path, START, check("function: start", True), END)
    both = [BY_WEBSOCKETS, BY_POLLING]
    found = reported(running, Program(said.name, said.version, both, said.command))
    assert found[BY_WEBSOCKETS]["connect"].word == "yes"
    assert found[BY_POLLING]["connect"].word == FAILED
