"""The demo page as two people use it, in Chromium, on what `make start` runs."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import IO, Any, cast

import pytest
import requests

from load.clock import MovableClock
from tests.e2e.processes import E2E, ROOT, Process


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> MovableClock:
    """What emulator and app go by."""
    return MovableClock(tmp_path_factory.mktemp("clock") / "clock")


@pytest.fixture(scope="module")
def started(
    ports: list[int], clock: MovableClock, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    functions, service, control = map(str, ports)
    command = [sys.executable, str(ROOT / "start.py"), "--port", functions]
    process = Process(
        [*command, "--service-port", service, "--control-port", control],
        tmp_path_factory.mktemp("start") / "start.log",
        environment={**clock.environment, "NEGOTIATE_TOKEN_LIFETIME_MINUTES": "20"},
    )
    try:
        process.wait_for(r"^Ctrl-C stops both")
        yield f"http://127.0.0.1:{functions}"
    finally:
        process.stop()


class Browser:
    """Two pages in Chromium, which tell what they see."""

    def __init__(self, program: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            ["node", str(E2E / program), *arguments],
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


@contextlib.contextmanager
def browser(program: str, *arguments: str) -> Iterator[Browser]:
    running = Browser(program, *arguments)
    try:
        yield running
    finally:
        running.stop()


def test_two_people_chat_and_come_back_after_the_service_drops_them(
    started: str, ports: list[int]
) -> None:
    screenshots = filter(None, [os.environ.get("DEMO_SCREENSHOTS")])
    with browser("demo.mjs", f"{started}/api/demo", *screenshots) as people:
        two_people_chat(people, ports)


def two_people_chat(browser: Browser, ports: list[int]) -> None:
    connected = browser.next("connected")
    assert connected["transports"] == ["WebSocket", "LongPolling"]
    assert len(set(connected["ids"])) == 2
    assert has_just_begun(connected["expiry"])

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


def test_a_sign_in_renews_itself_and_keeps_its_connection(
    started: str, clock: MovableClock
) -> None:
    step = 900
    with browser("demo_renewal.mjs", f"{started}/api/demo", str(step)) as person:
        connected = person.next("connected")
        assert connected["transports"] == ["WebSocket", "LongPolling"]
        assert all(map(has_just_begun, connected["expiry"]))
        for renewal in (1, 2):
            clock.move(renewal * step)
            person.go_on()
            assert all(map(has_just_begun, person.next("renewed")["expiry"]))
        chatted = person.next("chatted")
        assert chatted["ids"] == connected["ids"], "neither page has lost its connection"
        assert "not renewed" not in str(chatted["events"])
        assert chatted["errors"] == []


def has_just_begun(shown: str) -> bool:
    """Tell whether nearly all of 20 minutes is left, where the page says `19:58, renewed 1×`."""
    return int(shown.partition(":")[0]) in {19, 20}


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
    module = requests.get(f"{started}/api/demo/authentication-refresh.mjs", timeout=10)
    assert module.headers["Content-Type"].startswith("text/javascript")
    assert "export class AuthenticationRefresh " in module.text


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
