"""The demo page when something is wrong: it says what and where to look, and comes back by itself.

Each fault is there before four pages at once: on a desktop and on a phone, light and dark.
"""

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from itertools import count, product
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from tests.e2e.browser import Browser, browser
from tests.e2e.processes import PATIENCE, ROOT, Emulator, FunctionApp, emulator, free_ports
from tests.e2e.processes import function_app as running_app
from tests.issuer import TestIssuer

TENANT: Final = "7d3e5a90-61bc-4c2f-9f08-a4b7d21e6c83"
AUDIENCE: Final = "api://upstream"
ANYBODY: Final = {"NEGOTIATE_IDENTITY": "app-service,anonymous"}
LOOKS: Final[list[dict[str, object]]] = [
    {"width": width, "height": height, "colorScheme": scheme}
    for (width, height), scheme in product(((1000, 640), (390, 780)), ("light", "dark"))
]
NUMBERS: Final = count()
PACKAGES: Final = ("broadcast", "demo", "negotiate", "shared")


@pytest.fixture(scope="module")
def port() -> int:
    """Where the app is, each time that it is started."""
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def service(port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    template = f"http://127.0.0.1:{port}/api/upstream/{{hub}}/{{category}}/{{event}}"
    upstream = ("--upstream", f"{template} managed-identity={AUDIENCE}")
    with emulator(tmp_path_factory.mktemp("emulator") / "emulator.log", *upstream) as running:
        yield running


@pytest.fixture
def app_folder(tmp_path: Path) -> Path:
    """A copy of the app, whose owner may make mistakes in it."""
    folder = tmp_path / "app"
    folder.mkdir()
    for name in ("function_app.py", "events.py", "host.json"):
        shutil.copyfile(ROOT / name, folder / name)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("node_modules"))
    return folder


class Apps:
    """Starts the app on its port, as often as a test wants."""

    def __init__(self, service: Emulator, port: int, folder: Path) -> None:
        self._settings = {
            **service.app_settings,
            "UPSTREAM_TENANT_ID": TENANT,
            "UPSTREAM_AUDIENCE": AUDIENCE,
            "UPSTREAM_KEYS_URL": f"{service.control_url}/{TENANT}/discovery/v2.0/keys",
        }
        self._port = port
        self._folder = folder

    @contextlib.contextmanager
    def running(
        self, source: Path = ROOT, settings: Mapping[str, str] = ANYBODY
    ) -> Iterator[FunctionApp]:
        options = ("--auth", "--port", str(self._port))
        with running_app({**self._settings, **settings}, self._folder, source, *options) as app:
            yield app


@pytest.fixture
def apps(service: Emulator, port: int, tmp_path: Path) -> Apps:
    return Apps(service, port, tmp_path)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running
        assert running.errors == []


class Pages:
    """The page in each look."""

    def __init__(self, chromium: Browser, url: str) -> None:
        self.all = [chromium.open(f"page {next(NUMBERS)}", url, **look) for look in LOOKS]
        self.first = self.all[0]

    def enter(self) -> None:
        for page in self.all:
            page.see("#who", "You are guest ")
            page.miss("#problems p")

    def tell(self, text: str, hint: str) -> None:
        """Wait until each says in one line what is wrong, where it can be read."""
        for page in self.all:
            page.see("#problems p", text)
            (line,) = page.read("#problems p")
            assert hint in line
            assert page.evaluate(IS_WHOLE)
            assert page.evaluate(CONTRAST) >= 4.5
        for phone in self.all[2:]:
            assert phone.evaluate(SHARE_OF_THE_LOG) > 0.5

    def lead_to(self, inspector: str) -> None:
        for page in self.all:
            links = "[...document.querySelectorAll('#problems a')].map((each) => each.href)"
            assert page.evaluate(links) == [f"{inspector}/"]

    def close(self) -> None:
        for page in self.all:
            page.do("close")


type OpenPages = Callable[..., Pages]

IS_WHOLE: Final = """(() => {
  const { top, bottom, right } = document.querySelector("#problems p").getBoundingClientRect();
  const scrollsNot = document.documentElement.scrollWidth <= innerWidth;
  return scrollsNot && top >= 0 && right <= innerWidth && bottom <= innerHeight;
})()"""
SHARE_OF_THE_LOG: Final = "document.querySelector('#log').clientHeight / innerHeight"
# The least of all texts and placeholders that can be seen, as WCAG 2 defines it.
CONTRAST: Final = """(() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const linear = (part) => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4;
  const luminance = (...colours) => {
    for (const each of colours) { context.fillStyle = each; context.fillRect(0, 0, 1, 1); }
    const [red, green, blue] = [...context.getImageData(0, 0, 1, 1).data]
      .map((each) => linear(each / 255));
    return .2126 * red + .7152 * green + .0722 * blue;
  };
  const grounds = (element) => element === null ? ["white"]
    : [...grounds(element.parentElement), getComputedStyle(element).backgroundColor];
  const contrast = (element, colour) => {
    const under = grounds(element);
    const both = [luminance(...under), luminance(...under, colour)].sort((a, b) => b - a);
    return (both[0] + .05) / (both[1] + .05);
  };
  const hasText = (each) => [...each.childNodes].some((node) => node.data?.trim());
  const visible = [...document.querySelectorAll("body *")]
    .filter((each) => each.checkVisibility() && !each.disabled);
  const texts = visible.filter(hasText).map((each) => [each, getComputedStyle(each)]);
  const fields = visible.filter((each) => each.placeholder)
    .map((each) => [each, getComputedStyle(each, "::placeholder")]);
  return Math.min(...[...texts, ...fields].map(([each, style]) => contrast(each, style.color)));
})()"""


@pytest.fixture
def pages(chromium: Browser, port: int) -> Iterator[OpenPages]:
    opened: list[Pages] = []

    def open_pages(query: str = "") -> Pages:
        opened.append(Pages(chromium, f"http://127.0.0.1:{port}/api/demo{query}"))
        return opened[-1]

    yield open_pages
    for each in opened:
        each.close()


def role(service: Emulator, *, on: bool) -> None:
    """Switch the app's role, as the inspector does."""
    url = f"{service.control_url}/emulator"
    with requests.get(f"{url}/events", stream=True, timeout=PATIENCE) as stream:
        first = next(line for line in stream.iter_lines() if line.startswith(b"data: "))
    (assigned, *_) = json.loads(first.removeprefix(b"data: "))["roleAssignments"]
    switch = f"{url}/role-assignments/{assigned['id']}"
    assert requests.post(switch, json={"enabled": on}, timeout=PATIENCE).ok


def test_a_role_that_is_switched_off_and_on_again(
    apps: Apps, service: Emulator, pages: OpenPages
) -> None:
    with apps.running():
        before = pages()
        before.enter()
        role(service, on=False)
        before.first.write("Message", "Hello")
        before.first.see("#problems p", "sendMessage: The method failed.")
        late = pages()
        late.tell("enter: The method failed.", "The role of the app may be missing")
        late.lead_to(service.control_url)
        assert late.first.read("#state") == ["Connected"]
        role(service, on=True)
        late.enter()
        before.enter()
        assert before.first.evaluate("document.querySelector('#text').value") == "Hello"
        before.first.do("press", key="Enter")
        late.first.see("#messages", "Hello")


def test_an_app_that_starts_without_its_role(
    apps: Apps, service: Emulator, pages: OpenPages
) -> None:
    role(service, on=False)
    with apps.running():
        opened = pages()
        opened.tell("The SignalR service cannot be used for now.", "The role of the app may be")
        opened.lead_to(service.control_url)
        role(service, on=True)
        opened.enter()


OWN_HANDLERS: Final = """
from shared.aio import SignalRServiceClient
from shared.functions import Events, MessageEvent

events = Events()


@events.on_message("chat", "sendMessage")
async def send_message(event: MessageEvent, service: SignalRServiceClient, text: str) -> None:
    if text == "boom":
        raise RuntimeError("a secret of the app")
    await service.send_to_all(event.hub, "newMessage", ["own", text])
"""


def test_own_handlers_that_lack_a_method_or_fail(
    apps: Apps, app_folder: Path, pages: OpenPages
) -> None:
    (app_folder / "events.py").write_text(OWN_HANDLERS)
    with apps.running(app_folder):
        opened = pages()
        opened.tell("enter: This hub has no method 'enter'.", '@events.on_message("chat", "enter")')
        page = opened.first
        page.write("Message", "still heard")
        page.see("#messages", "still heard")
        page.write("Message", "boom")
        page.see("#problems p", "sendMessage: The method failed. The terminal of the app says why.")
        assert "secret" not in str(page.read("#problems p"))
        page.do("press", key="Backspace")
        page.miss("#problems p", "sendMessage")
    shutil.copyfile(ROOT / "events.py", app_folder / "events.py")
    with apps.running(app_folder):
        opened.enter()


def policy(body: str) -> str:
    return f"""
from shared.functions import NotAllowedError


def admit(caller, hub, connection):
    {body}
"""


def changed_policy(app_folder: Path, body: str) -> None:
    (app_folder / "negotiate" / "policy.py").write_text(policy(body))


def test_a_policy_that_refuses(apps: Apps, app_folder: Path, pages: OpenPages) -> None:
    changed_policy(app_folder, 'raise NotAllowedError("Only editors may chat.")')
    with apps.running(app_folder):
        opened = pages()
        opened.tell("Only editors may chat.", "negotiate/policy.py decides who may connect.")
    changed_policy(app_folder, "return connection")
    with apps.running(app_folder):
        opened.enter()


def test_a_policy_that_fails(apps: Apps, app_folder: Path, pages: OpenPages) -> None:
    changed_policy(app_folder, 'raise RuntimeError("a secret of the app")')
    with apps.running(app_folder):
        opened = pages()
        opened.tell("Internal Server Error", "The terminal of the app says why.")
        assert "secret" not in str(opened.first.read("#problems p"))


def test_callers_who_have_to_sign_in(apps: Apps, pages: OpenPages) -> None:
    with apps.running(settings={"NEGOTIATE_IDENTITY": "app-service"}):
        opened = pages()
        opened.tell("Log in first.", "Any name will do.")
        for page in opened.all:
            page.click("Sign in")
            page.write("Your name", "ann")
            page.see("#who", "ann")
            page.miss("#problems p")


def test_callers_who_need_a_token_of_an_identity_provider(
    apps: Apps, issuer: TestIssuer, pages: OpenPages
) -> None:
    with apps.running(settings=issuer.app_settings):
        opened = pages()
        opened.tell("Log in first.", "NEGOTIATE_IDENTITY")
        assert opened.first.read("button:has-text('Sign in')") == []


def test_a_hub_that_is_not_served(apps: Apps, pages: OpenPages) -> None:
    with apps.running():
        opened = pages("?hub=orders")
        opened.tell("This app serves no such hub.", "SIGNALR_HUBS lists")
        served = pages("?hub=news")
        served.tell("enter: This hub has no method", '@events.on_message("news", "enter")')


def test_an_app_without_a_default_hub(apps: Apps, pages: OpenPages) -> None:
    with apps.running(settings={**ANYBODY, "SIGNALR_HUBS": "c*"}):
        pages().tell("hub is missing, and this app has no default one", "?hub=chat")
        pages("?hub=chat").enter()


def test_an_app_that_has_ended(apps: Apps, service: Emulator, pages: OpenPages) -> None:
    with apps.running():
        opened = pages()
        opened.enter()
    opened.first.write("Message", "Hello")
    opened.first.see("#problems p", "Invocation failed, status code 500 The service could not")
    service.drop_clients()
    opened.tell("The function app does not answer at http://127.0.0.1:", "Is it still running")
    with apps.running():
        opened.enter()


@pytest.mark.parametrize(
    ("fault", "text", "hint"),
    [
        ({"action": "reset"}, "The SignalR service does not answer at http", "still running"),
        ({"status": 429}, "The SignalR service refuses the connection: ", "terminal"),
    ],
    ids=["gone", "full"],
)
def test_a_service_that_cannot_be_used(  # noqa: PLR0917
    fault: dict[str, Any],
    text: str,
    hint: str,
    apps: Apps,
    service: Emulator,
    pages: OpenPages,
) -> None:
    with apps.running():
        opened = pages()
        opened.enter()
        service.add_fault(operation="negotiate", **fault)
        service.drop_clients()
        opened.tell(text, hint)
        late = pages()
        late.tell(text, hint)
        service.clear_faults()
        opened.enter()
        late.enter()


def test_a_clock_that_was_moved(apps: Apps, service: Emulator, pages: OpenPages) -> None:
    with apps.running():
        # Longer than a token lasts, and shorter than the key that has signed it.
        service.advance_clock(4000)
        opened = pages()
        opened.tell("The token is expired.", "the clocks of app and service may differ")
        opened.lead_to(service.control_url)
        service.reset_clock()
        opened.enter()
