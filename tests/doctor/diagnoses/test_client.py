import pytest

from doctor.diagnoses.client import explain_upgrade, explain_upstream
from doctor.emulator import EmulatorState
from doctor.finding import Status
from shared.settings.endpoint import Endpoint

CONTOSO = Endpoint("https://contoso.service.signalr.net")


def test_a_gateway_that_does_not_pass_websockets_on() -> None:
    said = explain_upgrade(502, CONTOSO)
    assert said.summary.startswith("502 instead of 101")
    assert "Upgrade" in said.fix


@pytest.mark.parametrize(
    ("answer", "status", "summary"),
    [
        (None, Status.FAILED, "a client's call got no answer"),
        ({"type": 7}, Status.WARNING, "no upstream answers calls of clients"),
        ({"type": 3, "error": "?"}, Status.WARNING, "no upstream answers calls of clients"),
    ],
)
def test_answers_of_a_service_without_upstream(
    answer: object, status: Status, summary: str
) -> None:
    finding = explain_upstream(answer, CONTOSO, "/rt/v1")
    assert finding.status is status
    assert finding.summary.startswith(summary)
    assert "--name contoso --resource-group <resource group>" in finding.fix
    if status is Status.WARNING:
        assert ".azurewebsites.net/rt/v1/upstream/{hub}/{category}/{event}" in finding.fix


def test_a_token_of_the_service_that_is_not_valid_yet_by_a_moved_clock() -> None:
    answer = {"type": 3, "error": "Invocation failed, status code 401"}
    emulator = EmulatorState("http://127.0.0.1:8889", 15 * 60.0, {})
    found = explain_upstream(answer, Endpoint("http://127.0.0.1:8888"), "/api", emulator)
    assert found.summary.startswith("401: the emulator's clock was moved, 15 min ahead")
    assert found.fix == "curl -X DELETE http://127.0.0.1:8889/emulator/clock"
    emulator = emulator._replace(seconds_ahead=0.0)
    unmoved = explain_upstream(answer, Endpoint("http://127.0.0.1:8888"), "/api", emulator)
    assert "UPSTREAM_AUDIENCE" in unmoved.fix
