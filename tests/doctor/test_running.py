"""`make doctor` beside `make start`, whatever the ports are."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from doctor.configuration import read_configuration
from doctor.running import announced
from shared.command.running import running_apps
from tests.doctor.conftest import PAGE, Step, check_document
from tests.doctor.test_docs import SHOWN, fixed
from tests.e2e.processes import PATIENCE, ROOT, Process, free_ports

SERVICE = "AzureSignalRConnectionString__serviceUri"
OF_A_PERSON = {".git", ".venv", "local.settings.json"}
"""What a folder of somebody who begins does not have."""


@dataclass(frozen=True)
class Started:
    folder: Path
    process: Process
    port: int

    def doctor(self, *arguments: str) -> list[Step]:
        ended = subprocess.run(
            [sys.executable, "-m", "doctor", "--json", *arguments],
            cwd=self.folder,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )
        assert ended.stderr == ""
        return check_document(json.loads(ended.stdout))


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    folder = tmp_path_factory.mktemp("checkout")
    for each in ROOT.iterdir():
        if each.name not in OF_A_PERSON:
            (folder / each.name).symlink_to(each)
    ports = free_ports(3)
    options = zip(("--port", "--service-port", "--control-port"), map(str, ports), strict=True)
    command = [
        sys.executable,
        str(folder / "start.py"),
        *(part for pair in options for part in pair),
    ]
    process = Process(command, folder / "start.log")
    try:
        process.wait_for(r"Ctrl-C stops both\.")
        yield Started(folder, process, ports[0])
    finally:
        process.process.poll() or process.stop()


def test_the_doctor_needs_no_options(started: Started) -> None:
    steps = {each["id"]: each for each in started.doctor()}
    assert steps["settings"]["summary"].startswith(
        f"make start at http://127.0.0.1:{started.port}/api"
    )
    assert {each["status"] for each in steps.values()} == {"ok", "skipped"}, steps
    skipped = {name for name, each in steps.items() if each["status"] == "skipped"}
    assert skipped == {"cors", "app-cors"}  # no origin was given


def test_the_page_shows_what_is_printed(started: Started) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "doctor", "--origin", PAGE],
        cwd=started.folder,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    assert fixed(ended.stdout) == fixed(SHOWN[0])


def test_a_healthy_app_has_nothing_to_warn_of(started: Started) -> None:
    began = len(started.process.output)
    steps = started.doctor("--origin", "http://localhost:3000")
    assert {each["status"] for each in steps} == {"ok"}
    assert "WARNING" not in started.process.output[began:]


def test_nothing_is_left_where_it_has_ended(started: Started) -> None:
    assert [app.app_url for app in running_apps(started.folder)] == [
        f"http://127.0.0.1:{started.port}/api"
    ]
    assert started.process.stop() == 0
    assert not list(started.folder.glob(".venv/running/*"))


@contextlib.contextmanager
def app(folder: Path, service_url: str) -> Iterator[str]:
    """Announce an app at a port where somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/api"
        with announced(folder, url, {SERVICE: service_url}):
            yield url


@pytest.fixture
def service_url() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_of_several_the_one_that_is_named(tmp_path: Path, service_url: str) -> None:
    with app(tmp_path, service_url) as first, app(tmp_path, service_url) as second:
        latest = read_configuration(None, {})
        assert {latest.app_url} < {first, second}
        assert "also running, see --app-url" in latest.source
        for url in (first, second):
            named = url.replace("127.0.0.1", "localhost").removesuffix("/api")
            assert read_configuration(None, {}, named).app_url == url
        elsewhere = read_configuration(None, {}, "https://contoso.azurewebsites.net")
        assert elsewhere.source == "the environment"


def test_a_settings_file_that_is_named_is_meant(tmp_path: Path, service_url: str) -> None:
    file = tmp_path / "other.json"
    file.write_text('{"Values": {}}')
    with app(tmp_path, service_url):
        assert read_configuration(file, {}).app_url == ""


def test_what_a_killed_start_has_left_does_not_count(tmp_path: Path, service_url: str) -> None:
    with app(tmp_path, service_url) as url:
        (left,) = (tmp_path / ".venv" / "running").iterdir()
        content = left.read_text()
    left.write_text(content)
    assert running_apps(tmp_path) == []
    # Something else listens there now, and the service is gone.
    with socket.create_server(("127.0.0.1", int(url.rpartition(":")[2].removesuffix("/api")))):
        left.write_text(content.replace(service_url, "http://127.0.0.1:9"))
        assert running_apps(tmp_path) == []
        for other in ("{", "[]", "{}", '{"appUrl": "", "settings": []}'):
            left.write_text(other)
            assert running_apps(tmp_path) == []
        left.write_text(content)
        assert [each.app_url for each in running_apps(tmp_path)] == [url]


def test_nothing_of_the_environment_is_written_down(
    tmp_path: Path, service_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AzureSignalRConnectionString__clientSecret", "hunter2")
    with app(tmp_path, service_url):
        (file,) = (tmp_path / ".venv" / "running").iterdir()
        assert "hunter2" not in file.read_text()


def test_where_nothing_can_be_written_the_app_runs(tmp_path: Path, service_url: str) -> None:
    (tmp_path / ".venv").touch()
    with app(tmp_path, service_url):
        assert running_apps(tmp_path) == []
