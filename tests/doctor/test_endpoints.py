from collections.abc import Iterator

import pytest
from signalr_emulator.testing import RunningEmulator, running_emulator

from tests.doctor.conftest import Examine

SECOND = "Azure__SignalR__Endpoints__local_2__"


@pytest.fixture(scope="module")
def two_services() -> Iterator[RunningEmulator]:
    with running_emulator("--service-port", "0") as emulator:
        yield emulator


def test_every_step_for_each_endpoint(two_services: RunningEmulator, examine: Examine) -> None:
    examined = examine({**two_services.app_settings, f"{SECOND}type": "secondary"})
    assert examined.status == 0
    assert "2 endpoints (1 secondary)" in examined.step("settings")["summary"]
    names = [each["endpoint"] for each in examined.steps if each["id"] == "client"]
    assert names == ["local", "local_2"]
    for name in names:
        assert examined.step("client", name)["status"] == "ok"
        assert examined.step("send", name)["status"] == "ok"
    kinds = [examined.step("reach", name)["details"]["type"] for name in names]
    assert kinds == ["primary", "secondary"]


def test_one_endpoint_is_down(two_services: RunningEmulator, examine: Examine) -> None:
    settings = {**two_services.app_settings, f"{SECOND}serviceUri": "http://127.0.0.1:9"}
    examined = examine(settings)
    assert examined.status == 1
    (broken,) = [each for each in examined.steps if each["status"] == "failed"]
    assert (broken["id"], broken["endpoint"]) == ("reach", "local_2")
    healthy = [each for each in examined.steps if each["endpoint"] == "local"]
    assert {each["status"] for each in healthy} == {"ok", "warning", "skipped"}


def test_one_identity_may_do_what_another_may_not(
    two_services: RunningEmulator, examine: Examine
) -> None:
    settings = {**two_services.app_settings, f"{SECOND}clientId": "00000000-0000-0000-0000-1"}
    examined = examine(settings)
    assert examined.step("token", "local_2")["status"] == "failed"
    healthy = [each for each in examined.steps if each["endpoint"] == "local"]
    assert "failed" not in {each["status"] for each in healthy}
