import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from signalr_emulator.testing import RunningEmulator, running_emulator

from doctor.__main__ import main
from tests.e2e.processes import ROOT, Process

TENANT = "7d3e5a90-61bc-4c2f-9f08-a4b7d21e6c83"
AUDIENCE = "api://upstream"
ROUTE = "api/upstream/{hub}/{category}/{event}"
PAGE = "http://localhost:3000"
PAGES = ("--allowed-origin", "loopback", "--allowed-origin", "https://contoso.com")
"""What lets pages of this machine and of one other site into an emulator."""

type Step = Mapping[str, Any]
type Examine = Callable[..., Examined]

PRINCIPAL = "b8f6d2a4-0c13-4f7e-8a95-6e21c3d47f50"
"""Object id of the emulated app's identity."""


@dataclass(frozen=True)
class Examined:
    """What a run of the doctor has printed and returned."""

    status: int
    steps: list[Step]

    def step(self, name: str, endpoint: str = "") -> Step:
        """Give the one step of this name, at this endpoint if there are several."""
        (found,) = [
            each for each in self.steps if each["id"] == name and endpoint in {"", each["endpoint"]}
        ]
        return found

    def statuses(self) -> dict[str, str]:
        return {each["id"]: each["status"] for each in self.steps}

    def broken(self) -> set[str]:
        """Give the names of the steps that found something broken."""
        return {each["id"] for each in self.steps if each["status"] == "failed"}


def check_document(document: Any) -> list[Step]:  # noqa: ANN401  JSON
    """Check the form of the JSON document, and give its steps."""
    assert document.keys() == {"ok", "steps"}
    assert type(document["ok"]) is bool
    assert document["ok"] is all(each["status"] != "failed" for each in document["steps"])
    for each in document["steps"]:
        assert list(each) == ["id", "title", "endpoint", "status", "summary", "fix", "details"]
        assert re.fullmatch("[a-z-]+", each["id"])
        assert each["status"] in {"ok", "warning", "failed", "skipped"}
        assert each["summary"]
        assert "\n" not in each["summary"]
        assert bool(each["fix"]) is (each["status"] in {"warning", "failed"}), each
        assert isinstance(each["details"], dict)
    return cast("list[Step]", document["steps"])


def check_no_secret(text: str) -> None:
    """Check that neither a token nor a key is in a text."""
    assert "eyJ" not in text
    assert "ABCDEFGHIJKLMNOPQRSTUVWXYZ" not in text


@pytest.fixture(autouse=True)
def no_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work where there is no `local.settings.json`, unlike a developer's folder."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def examine(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Examine:
    """Runs the doctor in this process, with nothing but these settings."""

    def run(settings: Mapping[str, str], *arguments: str) -> Examined:
        bare = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
        monkeypatch.setattr(os, "environ", {**bare, "SIGNALR_HUBS": "chat,news", **settings})
        status = main(["--json", *arguments])
        printed = capsys.readouterr()
        check_no_secret(printed.out + printed.err)
        assert printed.err == ""
        return Examined(status, check_document(json.loads(printed.out)))

    return run


@pytest.fixture(scope="session")
def shared_emulator() -> Iterator[RunningEmulator]:
    with running_emulator(*PAGES) as emulator:
        yield emulator


@pytest.fixture
def emulator(shared_emulator: RunningEmulator) -> Iterator[RunningEmulator]:
    """An emulator whose app has the role SignalR Service Owner, and no upstream."""
    yield shared_emulator
    shared_emulator.clear_faults()


@dataclass(frozen=True)
class Whole:
    settings: Path
    app_url: str
    emulator: RunningEmulator


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    folder = tmp_path_factory.mktemp("whole")
    upstream = folder / "upstream.json"
    upstream.write_text('{"UpstreamSettings": {"Templates": []}}')
    with running_emulator(*PAGES, "--upstream-settings", str(upstream)) as emulator:
        settings = folder / "local.settings.json"
        document = json.loads((ROOT / "local.settings.json.example").read_text())
        keys = f"{emulator.control_url}/{TENANT}/discovery/v2.0/keys"
        document["Values"] |= {**emulator.app_settings, "UPSTREAM_KEYS_URL": keys}
        settings.write_text(json.dumps(document))
        app = Process(
            [
                *(sys.executable, "-m", "funchost", "--app-dir", str(ROOT)),
                *("--port", "0", "--settings", str(settings)),
            ],
            folder / "functions.log",
        )
        try:
            url = app.wait_for(r"^Functions host ready on (\S+)$")[1]
            upstream.write_text(json.dumps({"UpstreamSettings": {"Templates": [_template(url)]}}))
            document["Host"]["LocalHttpPort"] = int(url.rpartition(":")[2])
            settings.write_text(json.dumps(document))
            yield Whole(settings, url, emulator)
        finally:
            assert app.stop() == 0, app.output


def _template(url: str) -> dict[str, object]:
    auth = {"Type": "ManagedIdentity", "ManagedIdentity": {"Resource": AUDIENCE}}
    return {"UrlTemplate": f"{url}/{ROUTE}", "Auth": auth}
