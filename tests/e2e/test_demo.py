"""The demo page as two people use it, in Chromium, on what `make start` runs."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Final, cast

import pytest
import requests

from load.clock import MovableClock
from tests.e2e.browser import Browser, Page, browser
from tests.e2e.processes import ROOT, Process

CONNECTION_ID: Final = "document.querySelector('#connection').textContent"


SEND_AND_TYPE_ON = """(() => {
  const field = document.getElementById("text");
  field.value = "the first";
  field.form.requestSubmit();
  field.value += "and another";
})()"""


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


@pytest.fixture
def people() -> Iterator[Browser]:
    """Chromium, in which no page fails."""
    with browser() as running:
        yield running
        assert running.errors == []


def enter(people: Browser, name: str, url: str, transport: str, **look: object) -> Page:
    """Open the page, and wait until its visitor is among those who are online."""
    page = people.open(name, f"{url}/api/demo?transport={transport}", **look)
    page.see("#who", "You are ")
    return page


def sign_in(page: Page, name: str) -> None:
    page.click("Sign in")
    page.write("Your name", name)
    page.see("#who", f"You are {name}")


def messages(page: Page) -> list[tuple[str, str]]:
    """Return who has said what, in the room that is open."""
    names = page.read("#messages li:not(.event) b")
    return list(zip(names, page.read("#messages .text"), strict=True))


def test_two_people_chat_and_come_back_after_the_service_drops_them(
    started: str, ports: list[int], people: Browser
) -> None:
    ann = enter(people, "ann", started, "websockets", width=1000, height=640)
    sign_in(ann, "ann")
    bob = enter(people, "bob", started, "long-polling", width=390, height=780, colorScheme="dark")
    guest = f"guest {connection_id(bob)[:4]}"
    assert people_of(ann, 2) == people_of(bob, 2) == ["ann", guest]
    assert ann.read("#transport") == ["WebSocket"]
    assert has_just_begun(ann.read("#expiry")[0])

    ann.write("Message", "Hello, all")
    bob.see("#messages", "Hello, all")
    bob.write("Message", "Hi ann! How is the weather?")
    ann.see("#messages", "Hi ann!")
    ann.write("Message", "Cloudy, so there is some signal.")
    join(ann, "team")
    ann.write("Message", "to myself")
    ann.see("#messages", "to myself")
    bob.click("Rooms and people")
    join(bob, "team")
    bob.write("Message", "to the team")
    ann.see("#messages", "to the team")
    assert messages(ann) == [("ann", "to myself"), (guest, "to the team")]
    assert messages(bob) == [(guest, "to the team")], "who has not joined yet gets nothing"
    ann.click("Everyone")
    assert messages(ann) == [
        ("ann", "Hello, all"),
        (guest, "Hi ann! How is the weather?"),
        ("ann", "Cloudy, so there is some signal."),
    ], "a room shows what was said in it"
    bob.write("Message", "are you there?")
    ann.see("#rooms button:has-text('team') .new", "1")
    photograph(ann, bob)

    before = [connection_id(page) for page in (ann, bob)]
    drop(ports)
    for page, old in zip((ann, bob), before, strict=True):
        page.until(f"{CONNECTION_ID}.length > 1 && {CONNECTION_ID} !== '{old}'")
    ann.see("#state", "Connected")
    assert people_of(ann, 2) == people_of(bob, 2)
    bob.write("Message", "back again")
    ann.see("#rooms button:has-text('team') .new", "2")
    bob.do("close")
    ann.see("#messages .event", "has left")


def join(page: Page, room: str) -> None:
    page.write("Name of a room", room)
    page.see("#room", room)


def people_of(page: Page, count: int) -> list[str]:
    """Wait until so many are online, and return their names; on a phone they are in the menu."""
    listed = "[...document.querySelectorAll('#people li')].map((each) => each.lastChild.data)"
    page.until(f"{listed}.length === {count}")
    return cast("list[str]", page.evaluate(listed))


def connection_id(page: Page) -> str:
    return cast("str", page.evaluate(CONNECTION_ID))


def photograph(ann: Page, bob: Page) -> None:
    """Make the pictures of the documentation, if somebody wants them."""
    folder = os.environ.get("DEMO_SCREENSHOTS")
    if folder:
        ann.do("screenshot", path=f"{folder}/demo.png")
        bob.do("screenshot", path=f"{folder}/demo-phone.png")


def drop(ports: list[int]) -> None:
    url = f"http://127.0.0.1:{ports[2]}/emulator/clients/drop"
    assert requests.post(url, json={}, timeout=10).json()["dropped"] == 2


def test_a_sign_in_renews_itself_and_keeps_its_connection(
    started: str, clock: MovableClock, people: Browser
) -> None:
    step = 900
    first = enter(people, "first", started, "websockets")
    sign_in(first, "ann")
    second = enter(people, "second", started, "long-polling", beside="first")
    pages = (first, second)
    assert [page.read("#transport") for page in pages] == [["WebSocket"], ["LongPolling"]]
    assert all(has_just_begun(page.read("#expiry")[0]) for page in pages)
    before = [connection_id(page) for page in pages]
    for renewal in (1, 2):
        clock.move(renewal * step)
        for page in pages:
            page.evaluate(f"advance({step})")
            page.see("#expiry", f"renewed {renewal}×")
            assert has_just_begun(page.read("#expiry")[0])
    for page in pages:
        page.write("Message", f"from {page.name}")
        for each in pages:
            each.see("#messages", f"from {page.name}")
    assert [connection_id(page) for page in pages] == before, "neither has lost its connection"
    assert first.read("#problems p") == second.read("#problems p") == []


def has_just_begun(shown: str) -> bool:
    """Tell whether nearly all of 20 minutes is left, where the page says `19:58, renewed 1×`."""
    return int(shown.partition(":")[0]) in {19, 20}


def test_an_empty_room_has_a_command_that_says_hello_in_it(started: str, people: Browser) -> None:
    page = enter(people, "ann", started, "websockets")
    page.see("#empty", "Open this page in a second window")
    room = 'it\'s "ours"'
    join(page, room)
    page.see("#empty", f"Nobody has said anything in {room} yet")
    (command,) = page.read("#curl")
    page.click("Copy")
    page.see("#copy", "Copied")
    page.evaluate("document.querySelector('#text').focus()")
    page.do("press", key="Control+v")
    assert page.evaluate("document.querySelector('#text').value") == command
    subprocess.run(shlex.split(command), check=True, capture_output=True)
    page.see("#messages", "Hello")
    assert messages(page) == [("curl", "Hello")]


def test_a_message_without_a_name_or_of_another_kind_is_shown(
    started: str, people: Browser
) -> None:
    page = enter(people, "ann", started, "websockets")
    for sent in (["Hello"], ["thermometer", {"celsius": 21.5}]):
        message: dict[str, Any] = {"target": "newMessage", "arguments": sent}
        assert requests.post(f"{started}/api/broadcast", json=message, timeout=10).ok
    page.see("#messages", "celsius")
    assert messages(page) == [("Somebody", "Hello"), ("thermometer", '{"celsius":21.5}')]


def test_what_is_typed_while_a_message_is_on_its_way_is_the_next_one(
    started: str, people: Browser
) -> None:
    page = enter(people, "hasty", started, "websockets", width=1000, height=640)
    page.evaluate(SEND_AND_TYPE_ON)
    page.see("#messages", "the first")
    page.write("Message", "")
    page.see("#messages", "and another")
    assert [text for _, text in messages(page)][-2:] == ["the first", "and another"]


def test_on_a_phone_the_messages_have_most_of_the_screen(started: str, people: Browser) -> None:
    phone = enter(people, "phone", started, "websockets", width=390, height=780)
    assert phone.evaluate("document.querySelector('#log').clientHeight / innerHeight") > 0.7
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    name = "document.querySelector('#who span')"
    assert phone.evaluate(f"{name}.scrollWidth <= {name}.clientWidth"), "a guest's name is cut"
    assert phone.evaluate("document.querySelector('.command pre').clientWidth") > 300
    assert phone.read("#rooms") == []
    phone.click("Rooms and people")
    phone.see("#rooms", "Everyone")
    phone.see("#panel", "Open the inspector")
    phone.do("press", key="Escape")
    phone.miss("#rooms", "Everyone")


def test_the_page_leads_to_the_inspector_of_this_machine_alone(ports: list[int]) -> None:
    service, identity = f"http://127.0.0.1:{ports[1]}", f"http://127.0.0.1:{ports[2]}"
    for endpoint, address, inspector in (
        (service, f"{identity}/msi/token", identity),
        (service, "", ""),
        (service, "http://169.254.169.254/metadata", ""),
        ("https://contoso.service.signalr.net", f"{identity}/msi/token", ""),
    ):
        assert f'data-inspector="{inspector}"' in page_of(endpoint, address), (endpoint, address)


def page_of(endpoint: str, identity: str) -> str:
    """Return the page of an app with these settings."""
    code = (
        "import asyncio, azure.functions as func, function_app\n"
        "(page,) = [each.get_user_function() for each in function_app.app.get_functions()"
        " if each.get_function_name() == 'demo']\n"
        "answer = asyncio.run(page(func.HttpRequest('GET', '/api/demo', body=b'')))\n"
        "print(answer.get_body().decode())"
    )
    settings = {
        "AzureSignalRConnectionString__serviceUri": endpoint,
        "SIGNALR_HUBS": "chat",
        "NEGOTIATE_IDENTITY": "anonymous",
        "SIGNALR_DEMO": "true",
        "IDENTITY_HEADER": "header",
        "IDENTITY_ENDPOINT": identity,
    }
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


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
    for name in ("functions.py", "package.json", "%2e%2e%2fevents.py"):
        missing = requests.get(f"{started}/api/demo/{name}", timeout=10)
        assert missing.status_code == 404, name


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
