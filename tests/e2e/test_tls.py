"""An emulator that speaks TLS, whose certificate is trusted by the variables that it prints."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from signalr_emulator.testing import RunningEmulator, running_emulator

from shared import ServiceUnavailableError, Settings, SignalRServiceClient
from tests.e2e.processes import PATIENCE, ROOT, Process, client
from tests.e2e.service_clients import ALL_CLIENTS, connected

TRUST = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")
SETTINGS = {"SIGNALR_HUBS": "chat", "NEGOTIATE_IDENTITY": "anonymous"}


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    with running_emulator("--tls") as running:
        yield running


def use(
    emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch, *left_out: str
) -> dict[str, str]:
    """Make this process, and those that it starts, one with the settings that are printed."""
    settings = {
        name: value for name, value in emulator.app_settings.items() if name not in left_out
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return settings | SETTINGS


@pytest.mark.parametrize("kind", ALL_CLIENTS)
def test_it_negotiates_and_sends(
    emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    (found,) = Settings.from_environment(use(emulator, monkeypatch)).endpoints
    with (
        ALL_CLIENTS[kind](found.endpoint, found.credential) as signalr,
        connected(signalr, "ann") as (ann,),
    ):
        assert signalr.get_client_access_token("chat").url.startswith("https://127.0.0.1:")
        ann.connection_id()
        signalr.send_to_user("chat", "ann", "newMessage", ["user"])
        assert ann.message() == ["user"]


def test_an_app_that_does_not_trust_it_reaches_nothing(
    emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Settings.from_environment(use(emulator, monkeypatch, *TRUST))
    with (
        SignalRServiceClient.from_settings(read) as signalr,
        pytest.raises(ServiceUnavailableError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        signalr.send_to_all("chat", "newMessage")


def test_the_function_app(
    emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in use(emulator, monkeypatch).items():
        monkeypatch.setenv(name, value)
    (tmp_path / "settings.json").write_text('{"Values": {}}')
    command = ["-m", "funchost", "--app-dir", str(ROOT), "--port", "0"]
    app = Process(
        [sys.executable, *command, "--settings", str(tmp_path / "settings.json")],
        tmp_path / "app.log",
    )
    try:
        url = app.wait_for(r"^Functions host ready on (\S+)$")[1] + "/api"
        with client(url) as ann:
            ann.connection_id()
            body = {"target": "newMessage", "arguments": ["Hello"]}
            assert requests.post(f"{url}/broadcast", json=body, timeout=PATIENCE).status_code == 202
            assert ann.message() == ["Hello"]
    finally:
        assert app.stop() == 0, app.output
