"""Web pages that browsers keep out, and who keeps them out."""

from collections.abc import Iterator

import pytest
from signalr_emulator.testing import RunningEmulator, running_emulator

from doctor.diagnoses.cors import Host, judge_preflight
from shared.flow import Response
from tests.doctor.conftest import Examine

ORIGIN = "https://contoso.com"
HOST = Host("the host", "--app-url", "allow {origin}", "allow credentials")
RIGHT = {
    "Access-Control-Allow-Origin": ORIGIN,
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Allow-Headers": "X-Requested-With, authorization",
}


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
    assert emulator.endswith(f": signalr-emulator --allowed-origin {ORIGIN}")


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


@pytest.mark.parametrize(
    ("changed", "summary", "fix"),
    [
        ({"Access-Control-Allow-Origin": ""}, "does not let pages of https://contoso.com in", ""),
        ({"Access-Control-Allow-Origin": "*"}, "lets every origin in", "withCredentials: false"),
        ({"Access-Control-Allow-Origin": "https://b.com"}, "lets https://b.com in, and not", ""),
        ({"Access-Control-Allow-Credentials": ""}, "but not with credentials", "allow credentials"),
        (
            {"Access-Control-Allow-Headers": "authorization"},
            "does not let pages send x-requested-with",
            "gateway",
        ),
    ],
)
def test_answers_to_a_preflight(changed: dict[str, str], summary: str, fix: str) -> None:
    answer = Response(204, {**RIGHT, **changed})
    said = judge_preflight(answer, ORIGIN, ["authorization", "x-requested-with"], HOST)
    assert said is not None
    assert summary in said.summary
    assert (fix or f"allow {ORIGIN}") in said.fix


def test_an_answer_that_lets_a_page_in() -> None:
    answer = Response(204, RIGHT)
    assert judge_preflight(answer, ORIGIN, ["authorization", "x-requested-with"], HOST) is None
