"""The demo page as two people use it, in Chromium, on what `make start` runs."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import IO, Any, cast

import pytest
import requests

from tests.e2e.processes import E2E, ROOT, Process


@pytest.fixture(scope="module")
def started(ports: list[int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    functions, service, control = map(str, ports)
    command = [sys.executable, str(ROOT / "start.py"), "--port", functions]
    process = Process(
        [*command, "--service-port", service, "--control-port", control],
        tmp_path_factory.mktemp("start") / "start.log",
    )
    try:
        process.wait_for(r"^Ctrl-C stops both")
        yield f"http://127.0.0.1:{functions}"
    finally:
        process.stop()


class Browser:
    """Two pages in Chromium, which tell what they see."""

    def __init__(self, url: str) -> None:
        screenshots = os.environ.get("DEMO_SCREENSHOTS")
        self._process = subprocess.Popen(
            ["node", str(E2E / "demo.mjs"), url, *([screenshots] if screenshots else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def next(self, event: str) -> dict[str, Any]:
        line = cast("IO[bytes]", self._process.stdout).readline()
        seen: dict[str, Any] = json.loads(line)
        assert seen["event"] == event, seen
        return seen

    def go_on(self) -> None:
        keyboard = cast("IO[bytes]", self._process.stdin)
        keyboard.write(b"\n")
        keyboard.flush()

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def browser(started: str) -> Iterator[Browser]:
    running = Browser(f"{started}/api/demo")
    yield running
    running.stop()


def test_two_people_chat_and_come_back_after_the_service_drops_them(
    browser: Browser, ports: list[int]
) -> None:
    connected = browser.next("connected")
    assert connected["transports"] == ["WebSocket", "LongPolling"]
    assert len(set(connected["ids"])) == 2
    minutes = int(connected["expiry"].partition(":")[0])
    assert 55 <= minutes <= 60

    chatted = browser.next("chatted")
    first = "ann"
    second = f"guest {connected['ids'][1][:4]}"
    hello = f"{first}\nHello, all"
    to_team = f"{second} in team\nto the team"
    assert chatted["ann"] == [hello, f"{first} in team\nto myself", to_team]
    assert chatted["bob"] == [hello, to_team], "who is not in the group does not get its messages"

    drop(ports)
    browser.go_on()
    browser.next("reconnected")
    assert browser.next("left")["errors"] == []


def drop(ports: list[int]) -> None:
    url = f"http://127.0.0.1:{ports[2]}/emulator/clients/drop"
    assert requests.post(url, json={}, timeout=10).json()["dropped"] == 2


def test_the_page_may_run_its_own_script_and_talk_to_the_service_alone(started: str) -> None:
    pages = [requests.get(f"{started}/api/demo", timeout=10) for _ in range(2)]
    policies = [page.headers["Content-Security-Policy"] for page in pages]
    assert "default-src 'none'" in policies[0]
    assert "connect-src 'self' http://127.0.0.1:" in policies[0]
    assert " ws://127.0.0.1:" in policies[0]
    assert policies[0] != policies[1], "each answer has a nonce of its own"
    script = requests.get(f"{started}/api/demo/signalr.js", timeout=10)
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert "HubConnectionBuilder" in script.text


def test_the_page_is_for_developers_unless_a_setting_says_otherwise() -> None:
    code = (
        "import json, function_app\n"
        "print([each.get_function_name() for each in function_app.app.get_functions()])"
    )
    settings = {
        "AzureSignalRConnectionString__serviceUri": "https://contoso.service.signalr.net",
        "SIGNALR_HUBS": "chat",
        "NEGOTIATE_IDENTITY": "anonymous",
    }
    for more, offered in (
        ({}, False),
        ({"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}, True),
        ({"AZURE_FUNCTIONS_ENVIRONMENT": "Development", "WEBSITE_SITE_NAME": "app"}, False),
        ({"WEBSITE_SITE_NAME": "app", "SIGNALR_DEMO": "true"}, True),
    ):
        ended = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, **settings, **more},
            capture_output=True,
            text=True,
            check=True,
        )
        assert ("'demo'" in ended.stdout) is offered, more
