"""The function app from outside; the emulator's control plane stands in for broken ones."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from signalr_emulator.testing import RunningEmulator

from tests.doctor.conftest import Examine

PROBLEM: dict[str, Any] = {"Content-Type": "application/problem+json"}


@pytest.fixture
def standing_in(emulator: RunningEmulator) -> RunningEmulator:
    """An emulator whose control plane answers like a healthy app."""
    emulator.add_fault(method="GET", path="/api/health", status=200, body='{"status": "ok"}')
    emulator.add_fault(path="/api/upstream/*", status=401, headers=PROBLEM)
    return emulator


@pytest.mark.parametrize(
    ("fault", "summary", "fix"),
    [
        ({"status": 404}, "404: there is no function at ", "func azure functionapp publish"),
        (
            {"status": 302, "headers": {"Location": "https://x/.auth/login/aad"}},
            "302: App Service authentication",
            "--excluded-paths /api/upstream",
        ),
        ({"status": 401}, "401: App Service authentication", "--action AllowAnonymous"),
        ({"status": 403}, "403: the app is stopped", "az functionapp start"),
        ({"status": 503}, "503: the app does not run", "az webapp log tail"),
        ({"status": 200, "body": "<html>"}, "200: what answers at ", "--app-url"),
        ({"action": "reset"}, "http://127.0.0.1", "proxy"),
    ],
)
def test_an_app_that_is_not_there(
    emulator: RunningEmulator,
    examine: Examine,
    fault: Mapping[str, Any],
    summary: str,
    fix: str,
) -> None:
    emulator.add_fault(method="GET", path="/api/health", **fault)
    examined = examine(emulator.app_settings, "--app-url", emulator.control_url)
    assert examined.broken() == {"app"}
    app = examined.step("app")
    assert app["summary"].startswith(summary)
    assert fix in app["fix"]
    assert examined.step("app-upstream")["status"] == "skipped"


def test_an_app_where_nobody_listens(emulator: RunningEmulator, examine: Examine) -> None:
    app = examine(emulator.app_settings, "--app-url", "http://127.0.0.1:9").step("app")
    assert app["summary"] == "nothing listens at http://127.0.0.1:9"
    assert "--app-url" in app["fix"]


def test_an_app_without_its_key(emulator: RunningEmulator, examine: Examine) -> None:
    emulator.add_fault(method="GET", path="/api/health", status=200, body='{"status": "degraded"}')
    app = examine(emulator.app_settings, "--app-url", emulator.control_url).step("app")
    assert app["status"] == "warning"
    assert "the app's own identity" in app["fix"]


@pytest.mark.parametrize(
    ("fault", "status", "summary", "fix"),
    [
        ({"status": 401, "headers": PROBLEM}, "ok", "callers have to log in first", ""),
        (
            {"status": 404, "headers": PROBLEM},
            "failed",
            "404: the running app does not serve the hub chat",
            "--settings SIGNALR_HUBS=chat",
        ),
        ({"status": 404}, "failed", "404: there is no function", "publish"),
        ({"status": 503, "headers": PROBLEM}, "failed", "503: the app has no access key", "role"),
        ({"status": 401}, "failed", "401: App Service authentication", "NEGOTIATE_IDENTITY"),
        (
            {"status": 200, "body": '{"url": "https://else/client/?hub=chat", "accessToken": "x"}'},
            "warning",
            "the app sends clients to https://else/client/?hub=chat",
            "az functionapp config appsettings list",
        ),
    ],
)
def test_negotiations(
    standing_in: RunningEmulator,
    examine: Examine,
    *,
    fault: Mapping[str, Any],
    status: str,
    summary: str,
    fix: str,
) -> None:
    standing_in.add_fault(path="/api/chat/negotiate", **fault)
    examined = examine(standing_in.app_settings, "--app-url", standing_in.control_url)
    negotiate = examined.step("app-negotiate")
    assert negotiate["status"] == status
    assert negotiate["summary"].startswith(summary)
    assert fix in (negotiate["fix"] or "")
    assert examined.step("app-upstream")["status"] == "ok"


@pytest.mark.parametrize(
    ("fault", "summary", "fix"),
    [
        ({"status": 404}, "404: the running app has no upstream function", "publish"),
        ({"status": 401}, "401: App Service authentication refuses", "--excluded-paths"),
        ({"status": 200}, "200: the app takes a call of anybody", "verifies"),
        ({"status": 500}, "500: the app does not run", "az webapp log tail"),
    ],
)
def test_unsigned_calls_that_the_app_does_not_refuse(
    emulator: RunningEmulator,
    examine: Examine,
    fault: Mapping[str, Any],
    summary: str,
    fix: str,
) -> None:
    emulator.add_fault(method="GET", path="/api/health", status=200, body='{"status": "ok"}')
    emulator.add_fault(path="/api/upstream/*", **fault)
    examined = examine(emulator.app_settings, "--app-url", emulator.control_url)
    upstream = examined.step("app-upstream")
    assert upstream["status"] == "failed"
    assert upstream["summary"].startswith(summary)
    assert fix in upstream["fix"]


@pytest.mark.parametrize(
    ("prefix", "path"), [("rt/v1", "/rt/v1"), ("/rt", "/rt"), ("", ""), (None, "/api")]
)
def test_the_route_prefix_of_host_json(
    emulator: RunningEmulator, examine: Examine, tmp_path: Path, prefix: str | None, path: str
) -> None:
    http = {} if prefix is None else {"routePrefix": prefix}
    host = {"version": "2.0", "extensions": {"http": http}}
    (tmp_path / "host.json").write_text(json.dumps(host))
    emulator.add_fault(path=f"{path}/health", status=200, body='{"status": "ok"}')
    emulator.add_fault(path=f"{path}/upstream/*", status=302, headers={"Location": "/.auth/login"})
    examined = examine(emulator.app_settings, "--app-url", emulator.control_url)
    assert examined.step("app")["status"] == "ok"
    assert examined.step("app-upstream")["fix"].endswith(f" --excluded-paths {path}/upstream")
    assert f":7071{path}/upstream/{{hub}}" in examined.step("upstream")["fix"]


def test_a_host_json_that_cannot_be_used(examine: Examine, tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"')
    examined = examine({}, "--app-url", "http://127.0.0.1:9")
    assert examined.status == 2
    assert examined.step("settings")["summary"].startswith("host.json:1:18: ")


def test_a_route_prefix_of_its_own(emulator: RunningEmulator, examine: Examine) -> None:
    emulator.add_fault(path="/functions/v1/health", status=200, body='{"status": "ok"}')
    url = f"{emulator.control_url}/functions/v1"
    assert examine(emulator.app_settings, "--app-url", url).step("app")["status"] == "ok"
