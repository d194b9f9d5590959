"""The app with `AzureSignalRServiceTransportType=Persistent`, and its emulator.

The app's identity has the role *SignalR App Server*, with which the REST API takes no message.
"""

from collections.abc import Iterator

import pytest

from shared.persistent import PersistentSender
from tests.e2e.processes import Emulator, FunctionApp, client, emulator, function_app
from tests.e2e.service_clients import use_identity


@pytest.fixture(scope="module")
def app_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    log = tmp_path_factory.mktemp("emulator") / "emulator.log"
    with emulator(log, role="SignalR App Server") as running:
        yield running


@pytest.fixture
def app(
    app_server: Emulator, tmp_path_factory: pytest.TempPathFactory, transport_type: str
) -> Iterator[FunctionApp]:
    settings = {**app_server.app_settings, "AzureSignalRServiceTransportType": transport_type}
    with function_app(settings, tmp_path_factory.mktemp("app")) as running:
        yield running


@pytest.mark.parametrize("transport_type", ["Persistent"])
def test_what_the_app_sends_goes_by_server_connections(app: FunctionApp) -> None:
    with client(app.url) as connected:
        connection_id = connected.connection_id()
        joined = {"action": "add", "groupName": "red", "connectionId": connection_id}
        assert app.post("groups", joined).status_code == 202
        messages: list[dict[str, object]] = [
            {"target": "newMessage", "arguments": ["all", 1.5]},
            {"target": "newMessage", "arguments": ["red"], "groupName": "red"},
            {"target": "newMessage", "arguments": ["one"], "connectionId": connection_id},
        ]
        for each in messages:
            assert app.post("broadcast", each).status_code == 202
        assert [connected.message() for _ in messages] == [each["arguments"] for each in messages]


@pytest.mark.parametrize("transport_type", ["Transient"])
def test_without_the_setting_they_go_by_rest(app: FunctionApp) -> None:
    answer = app.post("broadcast", {"target": "newMessage", "arguments": ["all"]})
    assert answer.status_code == 503


def test_threads_send_a_batch_without_a_key(
    app_server: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    identity = use_identity(app_server, monkeypatch)
    settings = {**app_server.app_settings, "NEGOTIATE_IDENTITY": "anonymous"}
    with (
        function_app(settings, tmp_path_factory.mktemp("app")) as app,
        client(app.url) as connected,
        PersistentSender(app_server.service_url, identity) as sender,
    ):
        connection_id = connected.connection_id()
        with sender.batch() as batch:
            for number in range(200):
                batch.send_to_connection("chat", connection_id, "newMessage", [number])
        assert [connected.message() for _ in range(200)] == [[number] for number in range(200)]
