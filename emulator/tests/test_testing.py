from collections.abc import Iterator

import pytest
import requests
from azure.identity import ManagedIdentityCredential
from signalr_emulator.testing import ControlError, RunningEmulator, running_emulator


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    with running_emulator() as running:
        yield running


def access_key(emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> int:
    for name, value in emulator.app_settings.items():
        monkeypatch.setenv(name, value)
    with ManagedIdentityCredential() as credential:
        token = credential.get_token("https://signalr.azure.com/.default").token
    return requests.get(
        f"{emulator.service_url}/api/v1/auth/accessKey",
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    ).status_code


def test_an_app_finds_it_and_faults_come_and_go(
    emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert access_key(emulator, monkeypatch) == 200
    fault = emulator.add_fault(operation="getAccessKey", status=503)
    assert access_key(emulator, monkeypatch) == 503
    emulator.clear_fault(fault)
    assert access_key(emulator, monkeypatch) == 200
    emulator.add_fault(operation="getAccessKey", status=429)
    emulator.clear_faults()
    assert access_key(emulator, monkeypatch) == 200


def test_keys_end_by_word_or_by_time(
    emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    access_key(emulator, monkeypatch)
    *_, newest = emulator.state()["liveKeys"]
    emulator.revoke_key(newest)
    assert newest not in emulator.state()["liveKeys"]
    access_key(emulator, monkeypatch)
    emulator.advance_clock(90 * 60)
    assert emulator.state()["liveKeys"] == []


def test_nobody_to_drop(emulator: RunningEmulator) -> None:
    assert emulator.drop_clients(hub="chat") == 0


def test_no_server_connection(emulator: RunningEmulator) -> None:
    assert emulator.drop_server_connections(hub="chat", serverId="server-1") == 0
    assert emulator.rebalance(connectionId="cid-1") == 0
    assert emulator.go_offline(share=0.5, seed=1) == 0
    assert emulator.state()["serverConnections"] == {}


def test_what_is_refused_says_why(emulator: RunningEmulator) -> None:
    with pytest.raises(ControlError, match="advance"):
        emulator.advance_clock(-1)
    with pytest.raises(ControlError, match="no such key"):
        emulator.revoke_key("a/b")
    with pytest.raises(ControlError, match="no such fault"):
        emulator.clear_fault("unknown")
    with pytest.raises(ControlError):
        emulator.add_fault(operation="unknown", status=503)
    with pytest.raises(ControlError, match="userId"):
        emulator.rebalance(userId="ann")


def test_options_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_emulator("--role", "none") as emulator:
        assert access_key(emulator, monkeypatch) == 403


def test_a_start_that_fails_says_why() -> None:
    with pytest.raises(ControlError, match="--role"), running_emulator("--role", "King"):
        pass
