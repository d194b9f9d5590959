"""The agents of the libraries that the test environment has, with the real app."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from interop import results
from interop.app import App
from interop.checks import CANNOT, CHECKS, FAILED, Client, outcomes
from interop.languages.every import LANGUAGES
from interop.languages.javascript import AGENT
from interop.library import Combination, Library, Protocol, Transport
from tests.e2e.processes import E2E, ROOT

KEPT = results.read(ROOT / "docs" / "clients.json")
ENDS_AT_ONCE = """
import json, sys
print(json.dumps({"event": "ready", "library": "hasty", "version": "1", "capabilities": []}),
      flush=True)
sys.stdin.readline()
print(json.dumps({"event": "connected"}), flush=True)
"""
NEVER_CONNECTS = """
import json, sys
print(json.dumps({"event": "ready", "library": "hasty", "version": "1", "capabilities": []}))
print(json.dumps({"event": "failed", "error": "401 from negotiate"}), flush=True)
sys.stdin.read()
"""
JSON_BY_WEBSOCKETS = Combination(Transport.WEBSOCKETS, Protocol.JSON)
MESSAGEPACK_BY_WEBSOCKETS = Combination(Transport.WEBSOCKETS, Protocol.MESSAGEPACK)


def newest(name: str) -> Library:
    every = (each for language in LANGUAGES for each in language.libraries if each.name == name)
    library = next(every)
    assert isinstance(library, Library)
    return library


def words(running: App, client: Client) -> dict[str, str]:
    found = outcomes(running, client)
    details = [f"{name}: {each.detail}" for name, each in found.items() if each.word == FAILED]
    assert details == []
    return {name: each.word for name, each in found.items()}


def test_javascript_does_what_the_page_says(running: App, tmp_path: Path) -> None:
    library = newest("@microsoft/signalr")
    command = ["node", str(AGENT), str(E2E), "@microsoft"]
    client = Client(library, MESSAGEPACK_BY_WEBSOCKETS, command, tmp_path / "agent.log")
    seen = words(running, client)
    assert seen == KEPT[str(library)][str(MESSAGEPACK_BY_WEBSOCKETS)]
    assert tuple(seen) == CHECKS


def test_python_does_what_the_page_says(running: App, tmp_path: Path) -> None:
    library = newest("pysignalr")
    command = [sys.executable, "-m", "interop.clients.python.pysignalr"]
    installed = replace(library, version=version("pysignalr"))
    client = Client(installed, JSON_BY_WEBSOCKETS, command, tmp_path / "agent.log")
    assert words(running, client) == KEPT[str(library)][str(JSON_BY_WEBSOCKETS)]


def hasty(tmp_path: Path, program: str, cannot: Mapping[str, str]) -> Client:
    library = Library("hasty", "1", [JSON_BY_WEBSOCKETS], lambda _: [], cannot)
    command: Sequence[str] = [sys.executable, "-c", program]
    return Client(library, JSON_BY_WEBSOCKETS, command, tmp_path / "agent.log")


def test_a_check_that_fails_says_what_was_seen(running: App, tmp_path: Path) -> None:
    found = outcomes(running, hasty(tmp_path, ENDS_AT_ONCE, {"results": "too hasty"}))
    assert found["connect"].word == "yes"
    for name in ("everyone", "user", "group", "200 KB in", "close"):
        assert found[name].word == FAILED
    assert '{"event": "connected"} and ended' in found["everyone"].detail
    # Nobody has the group, since nobody is connected.
    assert found["connection"].word == found["closed by the app"].word == FAILED
    assert found["client results"] == (CANNOT, "too hasty")
    assert found["invoke"].word == found["reconnect"].word == FAILED
    assert "'invoke'" in found["invoke"].detail


def test_without_a_connection_there_is_nothing_more(running: App, tmp_path: Path) -> None:
    found = outcomes(running, hasty(tmp_path, NEVER_CONNECTS, {}))
    assert found == {"connect": (FAILED, "401 from negotiate")}


@pytest.mark.parametrize("line", [b"Debug: on", b"\xff", b"5", b'{"do": "start"}'])
def test_what_is_no_event_is_shown(running: App, tmp_path: Path, line: bytes) -> None:
    program = f"import sys; sys.stdout.buffer.write({line!r})"
    found = outcomes(running, hasty(tmp_path, program, {}))
    assert found == {"connect": (FAILED, f"no event as a line of JSON: {line!r}")}


def test_an_agent_has_to_be_of_the_library_that_it_is_run_for(running: App, tmp_path: Path) -> None:
    client = hasty(tmp_path, ENDS_AT_ONCE, {})
    found = outcomes(running, client._replace(library=replace(client.library, version="2")))
    assert found == {"connect": (FAILED, "the agent is one of hasty 1")}
