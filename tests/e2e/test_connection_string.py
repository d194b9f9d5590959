"""The connection string of an emulator on this machine, whose access key takes Entra's place."""

from collections.abc import Iterator

import pytest
from signalr_emulator.testing import RunningEmulator, running_emulator

from shared import AuthenticationError, Settings, SignalRServiceClient
from tests.e2e.service_clients import BOTH_CLIENTS, connected

KEY = "k" * 44


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    # Without a role, so that nothing works by way of Entra.
    with running_emulator("--access-key", KEY, "--role", "none") as running:
        yield running


def connection_string(emulator: RunningEmulator, key: str = KEY) -> str:
    port = emulator.service_url.rpartition(":")[2]
    return f"Endpoint=http://localhost;Port={port};AccessKey={key};Version=1.0;"


def settings(connection: str) -> dict[str, str]:
    return {"AzureSignalRConnectionString": connection, "SIGNALR_HUBS": "chat"}


@pytest.mark.parametrize("kind", BOTH_CLIENTS)
def test_it_negotiates_and_sends(emulator: RunningEmulator, kind: str) -> None:
    read = Settings.from_environment(settings(connection_string(emulator)))
    (endpoint,) = read.endpoints
    with (
        BOTH_CLIENTS[kind](endpoint.endpoint, endpoint.credential) as signalr,
        connected(signalr, "ännchen/ä b?") as (client,),
    ):
        connection_id = client.connection_id()
        signalr.send_to_user("chat", "ännchen/ä b?", "newMessage", ["user"])
        signalr.send_to_all("chat", "newMessage", ["all"], excluded=["nobody's"])
        assert [client.message()[0] for _ in range(2)] == ["user", "all"]
        assert signalr.connection_exists("chat", connection_id)
        assert not signalr.degraded


def test_a_wrong_key_is_refused(emulator: RunningEmulator) -> None:
    wrong = connection_string(emulator, "w" * 44)
    with (
        SignalRServiceClient.from_settings(Settings.from_environment(settings(wrong))) as signalr,
        pytest.raises(AuthenticationError, match="access key of the connection string"),
    ):
        signalr.send_to_all("chat", "newMessage")
