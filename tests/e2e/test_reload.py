"""The app's files are saved while a client is connected to it."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.processes import (
    PATIENCE,
    ROOT,
    Emulator,
    FunctionApp,
    client,
    emulator,
    free_ports,
    function_app,
)

TENANT = "7d3e5a90-61bc-4c2f-9f08-a4b7d21e6c83"
AUDIENCE = "api://upstream"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the app, which the test may edit."""
    copy = tmp_path / "app"
    for part in ("broadcast", "demo", "negotiate"):
        ignored = shutil.ignore_patterns("node_modules", "__pycache__")
        shutil.copytree(ROOT / part, copy / part, ignore=ignored)
    for file in ("function_app.py", "events.py", "host.json"):
        shutil.copyfile(ROOT / file, copy / file)
    return copy


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def service(port: int, tmp_path: Path) -> Iterator[Emulator]:
    template = f"http://127.0.0.1:{port}/api/upstream/{{hub}}/{{category}}/{{event}}"
    upstream = ("--upstream", f"{template} managed-identity={AUDIENCE}")
    with emulator(tmp_path / "emulator.log", *upstream) as running:
        yield running


@pytest.fixture
def app(folder: Path, service: Emulator, port: int, tmp_path: Path) -> Iterator[FunctionApp]:
    settings = {
        **service.app_settings,
        "UPSTREAM_TENANT_ID": TENANT,
        "UPSTREAM_AUDIENCE": AUDIENCE,
        "UPSTREAM_KEYS_URL": f"{service.control_url}/{TENANT}/discovery/v2.0/keys",
    }
    with function_app(settings, tmp_path, folder, "--port", str(port), "--reload") as running:
        yield running


def save(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_connected_client_meets_what_was_saved(folder: Path, app: FunctionApp) -> None:
    handlers, policy = folder / "events.py", folder / "negotiate" / "policy.py"
    with client(app.url) as connected:
        name = f"guest {connected.connection_id()[:4]}"
        assert connected.invoke("enter") == name

        save(handlers, "return name\n", "return name.upper()\n")
        until(lambda: connected.invoke("enter") == name.upper())

        save(handlers, "return name.upper()\n", "return name.lower(\n")
        line = 1 + handlers.read_text().splitlines().index("    return name.lower(")
        app.process.wait_for(rf"not reloaded, .* events\.py:{line}: SyntaxError: ")
        assert connected.invoke("enter") == name.upper()

        save(handlers, "return name.lower(\n", "return name[::-1]\n")
        until(lambda: connected.invoke("enter") == name[::-1])

        save(policy, "    return connection\n", '    raise NotAllowedError("Closed.")\n')
        save(policy, "import Caller", "import NotAllowedError, Caller")
        until(lambda: app.post("negotiate").status_code == 403)
        assert connected.invoke("enter") == name[::-1]
    assert not re.search("Traceback", app.process.output)
