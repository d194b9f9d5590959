"""`make start` with another route prefix in `host.json`: everything follows it."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from shared import CredentialSettings, SignalRServiceClient
from tests.e2e.browser import browser
from tests.e2e.processes import PATIENCE, ROOT, Process, client, free_ports
from tests.e2e.service_clients import connected
from tests.scripted_service import Reply, scripted_service

OWN_FILES = ("start.py", "set_up.py", "local.settings.json.example", "function_app.py", "events.py")
PACKAGES = ("broadcast", "demo", "doctor", "funchost", "negotiate", "shared")


@dataclass(frozen=True)
class Started:
    folder: Path
    base: str
    ports: list[int]
    process: Process


def app_folder(folder: Path, host: str) -> Path:
    """Make a folder with the app of this repository and another `host.json`."""
    for name in OWN_FILES:
        shutil.copyfile(ROOT / name, folder / name)
    for name in PACKAGES:
        (folder / name).symlink_to(ROOT / name)
    (folder / "host.json").write_text(host)
    return folder


def command(folder: Path, ports: list[int], *part: str) -> list[str]:
    functions, service, control = map(str, ports)
    return [
        *(sys.executable, str(folder / "start.py"), *part),
        *("--port", functions, "--service-port", service, "--control-port", control),
    ]


@pytest.fixture(scope="module", params=["rt/v1", ""])
def started(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Started]:
    host = {"version": "2.0", "extensions": {"http": {"routePrefix": request.param}}}
    folder = app_folder(tmp_path_factory.mktemp("app"), json.dumps(host))
    ports = free_ports(3)
    process = Process(command(folder, ports), folder / "start.log")
    try:
        process.wait_for(r"^Ctrl-C stops both")
        path = f"/{request.param}" if request.param else ""
        yield Started(folder, f"http://127.0.0.1:{ports[0]}{path}", ports, process)
    finally:
        assert process.stop() == 0, process.output


def test_the_addresses_that_are_printed_are_there(started: Started) -> None:
    printed = started.process.output.partition("is running")[2]
    urls = {
        word for word in printed.split() if word.startswith(f"http://127.0.0.1:{started.ports[0]}")
    }
    paths = {"/demo", "/negotiate", "/broadcast", "/health", "."}
    assert urls == {f"{started.base}{path}" for path in paths} | {f"{started.base}/broadcast"}
    assert requests.get(f"{started.base}/health", timeout=PATIENCE).json() == {"status": "ok"}
    usual = f"http://127.0.0.1:{started.ports[0]}/api/health"
    assert requests.get(usual, timeout=PATIENCE).status_code == 404


def test_a_client_connects_and_its_call_reaches_the_handler(started: Started) -> None:
    with client(started.base) as guest:
        guest.connection_id()
        assert str(guest.invoke("enter")).startswith("guest ")
        message = {"target": "newMessage", "arguments": ["Hello"]}
        answer = requests.post(f"{started.base}/broadcast", json=message, timeout=PATIENCE)
        assert answer.status_code == 202, answer.text
        assert guest.message() == ["Hello"]


def test_the_demo_page_connects(started: Started) -> None:
    with browser() as chromium:
        page = chromium.open("ann", f"{started.base}/demo")
        page.see("#who", "You are guest ")
        assert page.read("#curl")[0].startswith(f"curl {started.base}/broadcast ")
        page.click("Sign in")
        page.write("Your name", "ann")
        page.see("#who", "You are ann")


def test_the_description_leads_to_the_functions(started: Started) -> None:
    url = f"{started.base}/openapi.json"
    described = requests.get(url, timeout=PATIENCE).json()
    (server,) = described["servers"]
    base = urljoin(url, server["url"]).removesuffix("/")
    assert "/health" in described["paths"]
    assert requests.get(f"{base}/health", timeout=PATIENCE).status_code == 200


def test_the_doctor_finds_all_well(started: Started) -> None:
    functions, service, control = started.ports
    keys = f"{json.loads(example())['Values']['UPSTREAM_TENANT_ID']}/discovery/v2.0/keys"
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "doctor", "--json"),
            *("--app-url", f"http://127.0.0.1:{functions}", "--origin", "http://localhost:3000"),
        ],
        cwd=started.folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "AzureSignalRConnectionString__serviceUri": f"http://127.0.0.1:{service}",
            "IDENTITY_ENDPOINT": f"http://127.0.0.1:{control}/msi/token",
            "UPSTREAM_KEYS_URL": f"http://127.0.0.1:{control}/{keys}",
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    steps = {each["id"]: each for each in json.loads(ended.stdout)["steps"]}
    unwell = {name: each for name, each in steps.items() if each["status"] != "ok"}
    assert unwell == {}, ended.stderr
    expected = {"app", "app-negotiate", "app-upstream", "app-cors", "upstream", "refresh"}
    assert expected | {"app-refresh"} <= steps.keys()


def example() -> str:
    return (ROOT / "local.settings.json.example").read_text()


def test_the_emulator_alone_calls_the_app_under_its_prefix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = {"version": "2.0", "extensions": {"http": {"routePrefix": "v2"}}}
    folder = app_folder(tmp_path, json.dumps(host))
    with scripted_service(lambda _: Reply(200)) as app:
        ports = [int(app.url.rpartition(":")[2]), *free_ports(2)]
        process = Process(command(folder, ports, "emulator"), tmp_path / "emulator.log")
        try:
            process.wait_for(r"^Emulator ready\.$")
            said = dict(re.findall(r"^(\w+)=(\S+)$", process.output, re.MULTILINE))
            for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
                monkeypatch.setenv(name, said[name])
            url = f"http://127.0.0.1:{ports[1]}"
            with (
                SignalRServiceClient(url, CredentialSettings()) as service,
                connected(service, None) as (guest,),
            ):
                guest.connection_id()
                guest.invoke("hello")
        finally:
            assert process.stop() == 0, process.output
    paths = {each.path for each in app.received}
    assert paths >= {"/v2/upstream/chat/connections/connected", "/v2/upstream/chat/messages/hello"}


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ('{"version": "2.0"', "host.json:1:18: "),
        ('{"version": "2.0", "extensions": []}', "host.json:1:34: extensions must be an object"),
        (
            '{"version": "2.0", "extensions": {"http": {"routePrefix": "rt/"}}}',
            'host.json:1:59: extensions.http.routePrefix is "rt/"',
        ),
    ],
)
def test_a_wrong_file_is_one_line_that_names_it(host: str, said: str, tmp_path: Path) -> None:
    folder = app_folder(tmp_path, host)
    for part in ((), ("emulator",)):
        ended = subprocess.run(
            command(folder, free_ports(3), *part),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert (ended.returncode, ended.stdout) == (1, "")
        (line,) = ended.stderr.splitlines()
        assert f"{folder}/{said}" in line
