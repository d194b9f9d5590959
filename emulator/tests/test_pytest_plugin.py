"""The plugin in a pytest of its own, as a project that tests its app runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SEND = """
import json
from urllib.request import Request, urlopen

import jwt


def say(emulator, target, *arguments):
    key = emulator.connection_string.partition("AccessKey=")[2].partition(";")[0]
    url = f"{emulator.service_url}/api/hubs/chat/:send"
    token = jwt.encode({"aud": url, "exp": 4e9}, key)
    body = json.dumps({"target": target, "arguments": arguments}).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    urlopen(Request(f"{url}?api-version=2022-06-01", body, headers)).close()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sending.py").write_text(SEND)
    return tmp_path


def run(folder: Path, tests: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_app.py").write_text(tests)
    # Named, and nothing else: other plugins of this environment take longer than the tests.
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "pytest_signalr_emulator", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_tests_share_an_emulator_and_nothing_else(folder: Path) -> None:
    ended = run(
        folder,
        """
import pytest
from sending import say

URLS = set()
LEFT = []

@pytest.mark.parametrize("number", range(3))
def test_each(signalr_emulator, number):
    URLS.add(signalr_emulator.service_url)
    assert len(URLS) == 1
    assert signalr_emulator.messages == []
    assert signalr_emulator.state()["connections"] == {}
    LEFT.append(signalr_emulator.client("chat", user_id="ann"))
    ann = LEFT[-1].__enter__()
    say(signalr_emulator, "hello", number)
    assert ann.wait_for("hello") == [number]
    assert len(signalr_emulator.messages) == 1
    signalr_emulator.advance_clock(1e6)
    signalr_emulator.add_fault(operation="sendToHub", status=503)
""",
    )
    assert "3 passed" in ended.stdout, ended.stdout


def test_a_failure_reads_well(folder: Path) -> None:
    ended = run(
        folder,
        """
from sending import say

def test_greeting(signalr_emulator):
    with signalr_emulator.client("chat", user_id="ann") as ann:
        say(signalr_emulator, "farewell", "Bye")
        ann.wait_for("farewell")
        ann.wait_for("greeting", timeout=0.01)
""",
    )
    assert "1 failed" in ended.stdout
    assert "E   " in ended.stdout
    assert "No message greeting for ann (hub chat) within 0.01 s. There was:" in ended.stdout, (
        ended.stdout
    )
    assert 'farewell("Bye") (waited for before)' in ended.stdout


def test_options_by_the_ini_file(folder: Path) -> None:
    (folder / "pytest.ini").write_text(
        "[pytest]\nsignalr_emulator_options = --role 'SignalR App Server' --service 0\n"
    )
    ended = run(
        folder,
        """
def test_options(signalr_emulator):
    state = signalr_emulator.state()
    assert {each["role"] for each in state["roleAssignments"]} == {"SignalR App Server"}
    assert len(state["resources"]) == 2
""",
    )
    assert "1 passed" in ended.stdout, ended.stdout


def test_options_by_a_fixture(folder: Path) -> None:
    ended = run(
        folder,
        """
import pytest

@pytest.fixture(scope="session")
def signalr_emulator_options():
    return ["--role", "none"]

def test_options(signalr_emulator):
    assert signalr_emulator.state()["roleAssignments"] == []
""",
    )
    assert "1 passed" in ended.stdout, ended.stdout


def test_wrong_options_end_with_what_the_command_says(folder: Path) -> None:
    ended = run(
        folder, "def test(signalr_emulator): ...", "-o", "signalr_emulator_options=--rolle x"
    )
    assert "1 error" in ended.stdout
    assert "unrecognized arguments: --rolle" in ended.stdout


def test_each_worker_has_an_emulator_of_its_own(folder: Path) -> None:
    ended = run(
        folder,
        """
import os
from pathlib import Path

import pytest
from sending import say

@pytest.mark.parametrize("number", range(6))
def test_each(signalr_emulator, number):
    with Path("urls").open("a") as urls:
        urls.write(f"{signalr_emulator.service_url} {os.environ['PYTEST_XDIST_WORKER']}\\n")
    say(signalr_emulator, "hello", number)
    assert [each.arguments for each in signalr_emulator.messages] == [[number]]
""",
        *("-p", "xdist"),
        "--numprocesses=2",
        "--dist=each",
    )
    assert "12 passed" in ended.stdout, ended.stdout
    pairs = set((folder / "urls").read_text().splitlines())
    assert len(pairs) == len({each.split()[0] for each in pairs}) == 2


def test_in_unittest(folder: Path) -> None:
    (folder / "test_app.py").write_text("""
import unittest

from sending import say
from signalr_emulator.testing import running_emulator


class Greetings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.emulator = cls.enterClassContext(running_emulator())

    def setUp(self):
        self.emulator.reset()

    def test_one(self):
        ann = self.enterContext(self.emulator.client("chat", user_id="ann"))
        say(self.emulator, "greeting", "Hello")
        self.assertEqual(ann.wait_for("greeting"), ["Hello"])
        self.assertEqual(len(self.emulator.messages), 1)

    test_two = test_one

    def test_a_failure(self):
        with self.assertRaises(self.failureException):
            self.emulator.wait_for_message("greeting", timeout=0)
""")
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-m", "unittest", "-v"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Ran 3 tests" in ended.stderr


def test_a_session_that_does_not_use_it_imports_nothing() -> None:
    program = """
import sys
import pytest_signalr_emulator
assert [name for name in ("signalr_emulator", "aiohttp", "jwt") if name in sys.modules] == []
"""
    subprocess.run([sys.executable, "-c", program], check=True)
