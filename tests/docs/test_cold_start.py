"""docs/cold-start.md names every module that a start imports, and no other."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from signalr_emulator.testing import RunningEmulator, running_emulator

from docs.cold_start import NEEDED, OWN, PAGE, SETTINGS

ROOT = Path(__file__).parents[2]
TEXT = PAGE.read_text()
NEGOTIATE = ("negotiate", "POST", dict[str, str](), None)
NAMED = {name for table in NEEDED.values() for name in table}

UPSTREAM = {"hub": "chat", "category": "connections", "event": "connected"}

START = """
import asyncio, json, sys
from pathlib import Path
from funchost.worker.messages import HttpRequest
from funchost.worker.runtime import Worker

async def main():
    worker = Worker()
    functions = {each.name: each for each in await worker.start(Path.cwd())}
    for name, method, params, body in json.loads(sys.argv[1]):
        url = f"http://localhost:7071/api/{name}"
        request = HttpRequest(method, url, params=params, body=json.dumps(body).encode())
        response = await worker.invoke(functions[name], request)
        print(json.dumps([response.status, sorted(sys.modules)]))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    with running_emulator() as running:
        yield running


def start(
    emulator: RunningEmulator, *calls: tuple[str, str, dict[str, str], object], **more: str
) -> list[tuple[int, set[str]]]:
    """Start the app and call functions; return the status of each, and what is imported then."""
    ended = subprocess.run(
        [sys.executable, "-c", START, json.dumps(calls)],
        cwd=ROOT,
        env={**os.environ, **SETTINGS, **emulator.app_settings, **more},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    steps = [json.loads(line) for line in ended.stdout.splitlines()]
    return [
        (status, {each for each in modules if each.partition(".")[0] in OWN})
        for status, modules in steps
    ]


def test_a_start_imports_what_the_page_names_and_nothing_else(emulator: RunningEmulator) -> None:
    (first, before), (second, modules) = start(emulator, NEGOTIATE, NEGOTIATE)
    assert (first, second) == (200, 200)
    assert modules - NAMED == set(), "not on the page: is it needed at the start?"
    assert NAMED - modules == set(), "no longer imported: take it off the page"
    assert before == modules, "the second negotiation waits for an import"


def test_the_page_shows_each_with_its_reason() -> None:
    rows = dict(re.findall(r"^\| `([a-z0-9_.]+)` \| (.+?) \| [0-9.]* \|$", TEXT, re.MULTILINE))
    reasons = {name: why for table in NEEDED.values() for name, why in table.items() if why}
    assert rows == reasons, "Run: python -m docs.cold_start"
    assert {name for name in NAMED if f"`{name}`" in TEXT} == NAMED


def test_no_module_is_named_twice() -> None:
    assert len(NAMED) == sum(map(len, NEEDED.values()))


def test_without_packages_and_the_access_key_there_are_45_at_most() -> None:
    others = [
        name
        for table, names in NEEDED.items()
        if table not in {"key", "packages"}
        for name in names
    ]
    assert len(others) <= 45
    packages = NEEDED["packages"]
    assert all((ROOT / name.replace(".", "/") / "__init__.py").is_file() for name in packages)
    assert f"a start imports {len(NAMED)}." in TEXT


@pytest.mark.parametrize(
    ("call", "status", "later"),
    [
        (
            ("broadcast", "POST", {}, {"target": "hello", "arguments": [1]}),
            202,
            "broadcast.messages",
        ),
        (
            ("groups", "POST", {}, {"action": "add", "groupName": "g", "userId": "ann"}),
            202,
            "broadcast.groups",
        ),
        (("connected_user", "HEAD", {"userId": "ann"}, None), 404, "broadcast.connections"),
        (("group_connections", "GET", {"groupName": "g"}, None), 200, "broadcast.connections"),
        (("upstream", "POST", UPSTREAM, {}), 401, "upstream.verification"),
        (("refresh", "POST", {}, None), 404, "negotiate.refresh"),
        (("health", "GET", {}, None), 200, "health"),
        (("openapi", "GET", {}, None), 200, "openapi.document"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_what_comes_later_comes_with_the_first_call_of_a_cold_process(
    emulator: RunningEmulator,
    call: tuple[str, str, dict[str, str], object],
    status: int,
    later: str,
) -> None:
    ((answered, modules),) = start(emulator, call, SIGNALR_OPENAPI="true")
    assert answered == status
    assert f"shared.functions.{later}" in modules - NAMED


def test_what_settings_ask_for_is_imported_at_the_start(emulator: RunningEmulator) -> None:
    (_, first), (_, second) = start(
        emulator,
        NEGOTIATE,
        NEGOTIATE,
        NEGOTIATE_IDENTITY="app-service,anonymous",
        WEBSITE_AUTH_ENABLED="true",
        NEGOTIATE_CLAIMS="name",
        UPSTREAM_TENANT_ID="00000000-0000-0000-0000-000000000000",
        UPSTREAM_AUDIENCE="api://app",
    )
    more = {
        "shared.functions.negotiate.app_service",
        "shared.functions.negotiate.claims",
        "shared.functions.upstream.settings",
    }
    assert first >= more
    assert first == second


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("NEGOTIATE_CLAIMS", "iss"),
        ("NEGOTIATE_IDENTITY", "oidc"),
        ("NEGOTIATE_TOKEN_LIFETIME_MINUTES", "91"),
        ("UPSTREAM_TENANT_ID", "contoso"),
        ("UPSTREAM_AUDIENCE", "api://app"),
        ("UPSTREAM_IDENTITIES", "me"),
        ("AzureSignalRConnectionString", "Endpoint=https://contoso.service.signalr.net"),
        ("AzureSignalRServiceTransportType", "Fast"),
        ("SIGNALR_OPENAPI", "maybe"),
    ],
)
def test_a_wrong_setting_ends_the_start_and_is_named(
    emulator: RunningEmulator, setting: str, value: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "import function_app"],
        cwd=ROOT,
        env={**os.environ, **SETTINGS, **emulator.app_settings, setting: value},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert re.search(r"SettingsError: \w+ .*Example: \w+=", last), last
    assert setting.partition("_")[0] in last
