"""Web pages that browsers keep out, and who keeps them out."""

from collections.abc import Iterator

import pytest
from signalr_emulator.testing import RunningEmulator, running_emulator

from tests.doctor.conftest import Examine

ORIGIN = "https://contoso.com"


@pytest.fixture(scope="module")
def choosy() -> Iterator[RunningEmulator]:
    with running_emulator("--allowed-origin", "https://other.com") as emulator:
        yield emulator


def test_a_service_that_keeps_a_page_out(choosy: RunningEmulator, examine: Examine) -> None:
    examined = examine(choosy.app_settings, "--origin", ORIGIN)
    assert examined.status == 1
    assert examined.broken() == {"cors"}
    cors = examined.step("cors")
    assert cors["summary"] == f"the service does not let pages of {ORIGIN} in (204)"
    command, emulator = cors["fix"].splitlines()
    assert command == (
        "az signalr cors add --name <SignalR resource> --resource-group <resource group>"
        f" --allowed-origins {ORIGIN}"
    )
    assert emulator == f"signalr-emulator --allowed-origin {ORIGIN}   # the emulator"


def test_a_service_that_lets_a_page_in(choosy: RunningEmulator, examine: Examine) -> None:
    assert examine(choosy.app_settings, "--origin", "https://other.com").status == 0


def test_an_app_that_keeps_a_page_out(emulator: RunningEmulator, examine: Examine) -> None:
    # The control plane stands in for the app.
    emulator.add_fault(method="GET", path="/api/health", status=200, body='{"status": "ok"}')
    emulator.add_fault(method="OPTIONS", path="/api/chat/negotiate", status=204)
    examined = examine(emulator.app_settings, "--origin", ORIGIN, "--app-url", emulator.control_url)
    cors = examined.step("app-cors")
    assert cors["summary"] == f"the app does not let pages of {ORIGIN} in (403)"
    assert f'"CORS": "{ORIGIN}"' in cors["fix"]
    assert '"CORSCredentials": true' in cors["fix"]
    assert examined.step("cors")["status"] == "ok"
