"""What somebody has changed in an emulator is named, and not taken for a fault of this machine."""

import json
from collections.abc import Iterator

import pytest
import requests
from signalr_emulator.testing import RunningEmulator, running_emulator

from tests.doctor.conftest import PRINCIPAL, Examine, Whole
from tests.e2e.processes import PATIENCE


def switch_role(emulator: RunningEmulator) -> None:
    """Switch the role of the app's identity off, as its button in the inspector does."""
    events = f"{emulator.control_url}/emulator/events"
    with requests.get(events, stream=True, timeout=PATIENCE) as stream:
        lines = (line for line in stream.iter_lines() if line.startswith(b"data:"))
        assignments = json.loads(next(lines).removeprefix(b"data:"))["roleAssignments"]
    (own,) = [each["id"] for each in assignments if each["principalId"] == PRINCIPAL]
    requests.post(
        f"{emulator.control_url}/emulator/role-assignments/{own}",
        json={"enabled": False},
        timeout=PATIENCE,
    ).raise_for_status()


def test_a_role_that_is_switched_off(examine: Examine) -> None:
    with running_emulator() as emulator:
        switch_role(emulator)
        examined = examine(emulator.app_settings)
    assert examined.broken() == {"key", "read", "manage", "send"}
    for name in examined.broken():
        step = examined.step(name)
        assert "SignalR Service Owner is switched off in the inspector" in step["summary"]
        assert step["fix"] == f"Switch it on there: {emulator.control_url}"


@pytest.fixture
def moved(whole: Whole) -> Iterator[RunningEmulator]:
    """The emulator that the app uses, whose clock is back in time after the test."""
    yield whole.emulator
    whole.emulator.reset_clock()


def test_a_clock_that_is_hours_ahead(
    moved: RunningEmulator, whole: Whole, examine: Examine
) -> None:
    moved.advance_clock(2 * 60 * 60)
    examined = examine({"SIGNALR_HUBS": "chat"}, "--settings", str(whole.settings))
    assert examined.broken() >= {"clock", "client", "app-negotiate"}
    clock = examined.step("clock")
    assert clock["summary"].startswith("the emulator's clock was moved: 2 h ahead")
    assert clock["fix"] == f"curl -X DELETE {moved.control_url}/emulator/clock"
    assert clock["fix"] == examined.step("client")["fix"]
    assert "see “Clock” above" in examined.step("app-negotiate")["fix"]
    moved.reset_clock()
    again = examine({"SIGNALR_HUBS": "chat"}, "--settings", str(whole.settings))
    assert again.broken() == set()


def test_a_clock_that_is_minutes_ahead(
    moved: RunningEmulator, whole: Whole, examine: Examine
) -> None:
    moved.advance_clock(2 * 60)
    clock = examine({"SIGNALR_HUBS": "chat"}, "--settings", str(whole.settings)).step("clock")
    assert clock["status"] == "warning"
    assert clock["summary"].startswith("the emulator's clock was moved: 2 min ahead")
