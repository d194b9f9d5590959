"""The service client against the emulator: every kind of operation on the wire, with effect."""

from collections.abc import Iterator

import pytest

from shared import (
    Command,
    ConnectionNotFoundError,
    CredentialSettings,
    GroupConnection,
    SignalRServiceClient,
    TokenOrigin,
)
from shared.credential import CredentialKind
from tests.e2e.processes import Emulator, FunctionApp, client

PRINCIPAL = "x-ms-client-principal-id"


@pytest.fixture
def signalr_identity(service: Emulator, monkeypatch: pytest.MonkeyPatch) -> CredentialSettings:
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.setenv(name, service.app_settings[name])
    return CredentialSettings(CredentialKind.MANAGED_IDENTITY)


@pytest.fixture
def signalr(
    service: Emulator, signalr_identity: CredentialSettings
) -> Iterator[SignalRServiceClient]:
    with SignalRServiceClient(service.service_url, signalr_identity) as connected:
        yield connected


def test_groups_existence_and_closing(app: FunctionApp, signalr: SignalRServiceClient) -> None:
    with (
        client(app.url, **{PRINCIPAL: "ann"}) as ann,
        client(app.url, **{PRINCIPAL: "bob"}) as bob,
    ):
        connection_id, bobs = ann.connection_id(), bob.connection_id()
        assert signalr.service_is_healthy()
        assert signalr.connection_exists("chat", connection_id)
        assert signalr.user_exists("chat", "ann")
        assert not signalr.user_exists("chat", "nobody")
        assert not signalr.group_exists("chat", "editors")

        signalr.add_connection_to_group("chat", "editors", connection_id)
        signalr.add_user_to_group("chat", "editors", "bob", ttl=3600)
        assert signalr.user_in_group("chat", "bob", "editors")
        listed = set(signalr.list_connections_in_group("chat", "editors"))
        assert listed == {GroupConnection(connection_id, "ann"), GroupConnection(bobs, "bob")}
        signalr.send_to_group("chat", "editors", "newMessage", ["both"])
        signalr.remove_user_from_group("chat", "editors", "bob")
        signalr.send_to_group("chat", "editors", "newMessage", ["ann alone"])
        signalr.execute(
            "chat",
            [Command("SendMessage", target="newMessage", arguments=["executed"])],
            filter="userId eq 'bob'",
        )
        assert [ann.message()[0] for _ in range(2)] == ["both", "ann alone"]
        assert [bob.message()[0] for _ in range(2)] == ["both", "executed"]

        signalr.remove_connection_from_all_groups("chat", connection_id)
        assert not signalr.group_exists("chat", "editors")
        with pytest.raises(ConnectionNotFoundError):
            signalr.add_connection_to_group("chat", "editors", "nobody's")
        signalr.close_connection("chat", "nobody's")
        signalr.close_user_connections("chat", "ann", reason="Good night")
        assert "Good night" in ann.next("closed")["error"]


def test_a_token_by_the_service_opens_a_connection(
    service: Emulator, signalr_identity: CredentialSettings
) -> None:
    with SignalRServiceClient(
        service.service_url,
        signalr_identity,
        token_origin=TokenOrigin.SERVICE,
    ) as client_by_service:
        access = client_by_service.get_client_access_token(
            "chat", user_id="ann", minutes_to_expire=5
        )
    assert service.admits({"url": access.url, "accessToken": access.token}) == 200
