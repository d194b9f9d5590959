"""Whether sign-ins are renewed: at the service, and by the app."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from signalr_emulator.testing import RunningEmulator, running_emulator

from tests.doctor.conftest import PRINCIPAL, Examine, Whole
from tests.e2e.processes import function_app
from tests.issuer import AUDIENCE

OIDC = {
    "NEGOTIATE_IDENTITY": "oidc",
    "NEGOTIATE_OIDC_ISSUER": "https://login.example/v2.0",
    "NEGOTIATE_OIDC_AUDIENCE": AUDIENCE,
}
ORIGIN = "http://localhost:3000"
PROBLEM: dict[str, Any] = {"Content-Type": "application/problem+json"}


@pytest.fixture(scope="module")
def without_refresh() -> Iterator[RunningEmulator]:
    with running_emulator("--no-authentication-refresh") as emulator:
        yield emulator


@pytest.fixture
def standing_in(emulator: RunningEmulator) -> RunningEmulator:
    """An emulator whose control plane answers like an app that has yet to be asked to refresh."""
    emulator.add_fault(method="GET", path="/api/health", status=200, body='{"status": "ok"}')
    emulator.add_fault(path="/api/upstream/*", status=401, headers=PROBLEM)
    emulator.add_fault(method="POST", path="/api/chat/negotiate", status=401, headers=PROBLEM)
    return emulator


@pytest.mark.parametrize("tokens", ["access-key", "service"])
def test_a_service_that_renews(emulator: RunningEmulator, examine: Examine, tokens: str) -> None:
    settings = {**emulator.app_settings, **OIDC, "SIGNALR_CLIENT_TOKENS": tokens}
    examined = examine(settings)
    refresh = examined.step("refresh")
    assert refresh["status"] == "ok"
    assert refresh["details"]["dataActions"] == ["clientConnection/write"]
    assert {"asrs.s.uid", "nameid"} & set(refresh["details"]["claims"])
    assert emulator.state()["connections"] == {}


def test_a_hub_of_an_application(emulator: RunningEmulator, examine: Examine) -> None:
    settings = {**emulator.app_settings, **OIDC, "SIGNALR_APPLICATION": "ann"}
    assert examine(settings).step("refresh")["status"] == "ok"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"NEGOTIATE_IDENTITY": "anonymous"}, "NEGOTIATE_IDENTITY"),
        ({**OIDC, "NEGOTIATE_REFRESH": "false"}, "NEGOTIATE_REFRESH"),
    ],
)
def test_an_app_that_renews_nothing_need_not_be_able_to(
    without_refresh: RunningEmulator, examine: Examine, settings: Mapping[str, str], reason: str
) -> None:
    refresh = examine({**without_refresh.app_settings, **settings}).step("refresh")
    assert refresh["status"] == "skipped"
    assert reason in refresh["summary"]


def test_a_service_that_has_it_switched_off(
    without_refresh: RunningEmulator, examine: Examine
) -> None:
    examined = examine({**without_refresh.app_settings, **OIDC})
    assert examined.status == 0
    refresh = examined.step("refresh")
    assert refresh["status"] == "warning"
    assert refresh["summary"].endswith("404 to a connection that it has just negotiated")
    assert "--settings NEGOTIATE_REFRESH=false" in refresh["fix"]
    assert "signalr-emulator --authentication-refresh" in refresh["fix"]


@pytest.mark.parametrize("status", [400, 404, 405])
def test_a_service_that_does_not_know_it_yet(
    emulator: RunningEmulator, examine: Examine, status: int
) -> None:
    emulator.add_fault(path="/api/hubs/chat/connections/:refreshAuth", status=status)
    refresh = examine({**emulator.app_settings, **OIDC}).step("refresh")
    assert refresh["status"] == "warning"
    assert "2026-07-01" in refresh["fix"]


def test_a_negotiation_of_an_old_service(emulator: RunningEmulator, examine: Examine) -> None:
    body = '{"connectionId": "c", "availableTransports": []}'
    emulator.add_fault(operation="negotiate", status=200, body=body)
    refresh = examine({**emulator.app_settings, **OIDC}).step("refresh")
    assert refresh["status"] == "warning"
    assert "names no connection token" in refresh["summary"]


def test_a_service_that_does_not_negotiate(emulator: RunningEmulator, examine: Examine) -> None:
    emulator.add_fault(operation="negotiate", status=429)
    examined = examine({**emulator.app_settings, **OIDC})
    assert examined.broken() == {"client"}
    assert "“Client handshake”" in examined.step("refresh")["summary"]


@pytest.mark.parametrize(
    ("fault", "summary"),
    [
        ({"status": 500}, "500: the service has a fault"),
        ({"status": 429}, "429: "),
        ({"status": 200, "body": "<html>"}, "200, and the body is not"),
        ({"action": "reset"}, "http://127.0.0.1"),
        ({"status": 403, "body": "<center>nginx</center>"}, "403 by the network access control"),
    ],
)
def test_a_refresh_that_fails(
    emulator: RunningEmulator, examine: Examine, fault: Mapping[str, Any], summary: str
) -> None:
    emulator.add_fault(operation="refreshAuth", **fault)
    examined = examine({**emulator.app_settings, **OIDC})
    assert examined.broken() == {"refresh"}
    refresh = examined.step("refresh")
    assert refresh["summary"].startswith(summary)
    assert "App Server" not in refresh["fix"]


def test_a_role_that_renews_nothing(emulator: RunningEmulator, examine: Examine) -> None:
    refused = '{"code": "Forbidden", "message": "Please check your role assignments."}'
    emulator.add_fault(
        operation="refreshAuth",
        status=403,
        headers={"Content-Type": "application/json"},
        body=refused,
    )
    refresh = examine({**emulator.app_settings, **OIDC}).step("refresh")
    assert refresh["status"] == "failed"
    assert PRINCIPAL in refresh["summary"]
    assert refresh["summary"].endswith("allows clientConnection/write")
    assert "'SignalR App Server' is enough to negotiate and to renew" in (refresh["fix"])
    assert refresh["details"]["dataAction"] == "clientConnection/write"


def test_app_server_may_renew(examine: Examine) -> None:
    with running_emulator("--role", "SignalR App Server") as emulator:
        examined = examine({**emulator.app_settings, **OIDC})
    assert examined.step("key")["status"] == "ok"
    assert examined.step("refresh")["status"] == "ok"


def test_the_app_renews_and_lets_pages_ask(
    emulator: RunningEmulator, examine: Examine, tmp_path: Path
) -> None:
    settings = {**emulator.app_settings, **OIDC}
    with function_app(settings, tmp_path) as app:
        examined = examine(settings, "--origin", ORIGIN, "--app-url", app.url.removesuffix("/api"))
    assert examined.step("app-refresh")["status"] == "ok"
    assert examined.step("app-negotiate")["status"] == "ok"


def test_the_running_app_may_be_set_otherwise(whole: Whole, examine: Examine) -> None:
    examined = examine(OIDC, "--settings", str(whole.settings), "--origin", ORIGIN)
    assert examined.status == 0
    assert examined.step("app-refresh")["status"] == "skipped"
    assert "its NEGOTIATE_REFRESH" in examined.step("app-refresh")["summary"]
    # The local host lets pages send every header.
    assert examined.step("app-cors")["status"] == "ok"


@pytest.mark.parametrize(
    ("fault", "summary", "fix"),
    [
        ({"status": 404}, "404: the running app negotiates", "refresh_hub"),
        ({"status": 401}, "401: App Service authentication", "AllowAnonymous"),
        ({"status": 500}, "500: the app does not run", "az webapp log tail"),
        ({"action": "reset"}, "http://127.0.0.1", "proxy"),
    ],
)
def test_an_app_that_does_not_renew(
    standing_in: RunningEmulator,
    examine: Examine,
    fault: Mapping[str, Any],
    summary: str,
    fix: str,
) -> None:
    standing_in.add_fault(method="POST", path="/api/chat/refresh", **fault)
    settings = {**standing_in.app_settings, **OIDC}
    examined = examine(settings, "--app-url", standing_in.control_url)
    assert examined.broken() == {"app-refresh"}
    refresh = examined.step("app-refresh")
    assert refresh["summary"].startswith(summary)
    assert fix in refresh["fix"]


def test_an_app_whose_gateway_knows_negotiate_only(
    standing_in: RunningEmulator, examine: Examine
) -> None:
    standing_in.add_fault(method="POST", path="/api/chat/refresh", status=404, headers=PROBLEM)
    origin = standing_in.control_url
    may: dict[str, Any] = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Headers": "authorization, x-requested-with, x-signalr-user-agent",
    }
    for route in ("negotiate", "refresh"):
        standing_in.add_fault(method="OPTIONS", path=f"/api/chat/{route}", status=204, headers=may)
    settings = {**standing_in.app_settings, **OIDC}
    asked = ("--origin", origin, "--app-url", standing_in.control_url)
    cors = examine(settings, *asked).step("app-cors")
    assert cors["status"] == "failed"
    assert cors["summary"] == "the app does not let pages send x-signalr-connection-token"
    off = {**settings, "NEGOTIATE_REFRESH": "false"}
    assert examine(off, *asked).step("app-cors")["status"] == "ok"
