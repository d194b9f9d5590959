"""Two applications share one service, and neither sees what the other one does."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from signalr_emulator.testing import RunningEmulator, running_emulator

from shared import (
    Command,
    ConnectionNotFoundError,
    CredentialSettings,
    GroupConnection,
    SignalRServiceClient,
    TokenOrigin,
)
from tests.e2e.processes import FunctionApp, client, function_app
from tests.e2e.service_clients import OpenClient, connected

type Pair = tuple[SignalRServiceClient, SignalRServiceClient]


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    with running_emulator() as running:
        yield running


@pytest.fixture
def pair(
    emulator: RunningEmulator, identity: CredentialSettings, open_client: OpenClient
) -> Iterator[Pair]:
    with (
        open_client(emulator.service_url, identity, application="Alice") as alice,
        open_client(emulator.service_url, identity, application="bob") as bob,
    ):
        yield alice, bob


def test_clients_connect_to_the_hub_of_their_application(
    emulator: RunningEmulator, pair: Pair
) -> None:
    alice, bob = pair
    urls = [each.get_client_access_token("Chat").url for each in (alice, bob)]
    assert urls == [
        f"{emulator.service_url}/client/?hub={name}" for name in ("alice_chat", "bob_chat")
    ]
    with connected(alice, "ann") as (theirs,), connected(bob, "ann") as (other,):
        theirs.connection_id()
        other.connection_id()
        assert emulator.state()["connections"] == {"alice_chat": 1, "bob_chat": 1}


def test_messages_stay_within_an_application(pair: Pair) -> None:
    alice, bob = pair
    with connected(alice, "ann") as (theirs,), connected(bob, "ann") as (other,):
        connection, _ = theirs.connection_id(), other.connection_id()
        alice.add_user_to_group("chat", "editors", "ann")
        bob.add_user_to_group("chat", "editors", "ann")
        alice.send_to_all("chat", "newMessage", ["all"])
        alice.send_to_user("chat", "ann", "newMessage", ["user"])
        alice.send_to_group("chat", "editors", "newMessage", ["group"])
        alice.send_to_connection("chat", connection, "newMessage", ["connection"])
        said = Command("SendMessage", target="newMessage", arguments=["executed"])
        alice.execute("chat", [said], filter="userId eq 'ann'")
        bob.send_to_all("chat", "newMessage", ["end"])
        bob.send_to_all("chat", "newMessage", ["end"])
        alice.send_to_all("chat", "newMessage", ["end"])
        assert [theirs.message()[0] for _ in range(6)] == [
            "all", "user", "group", "connection", "executed", "end",
        ]  # fmt: skip
        assert [other.message()[0] for _ in range(2)] == ["end", "end"]


def test_who_is_connected_is_told_of_the_own_application(pair: Pair) -> None:
    alice, bob = pair
    with connected(alice, "ann") as (theirs,):
        connection = theirs.connection_id()
        alice.add_connection_to_group("chat", "editors", connection)
        assert [each.connection_exists("chat", connection) for each in pair] == [True, False]
        assert [each.user_exists("chat", "ann") for each in pair] == [True, False]
        assert [each.group_exists("chat", "editors") for each in pair] == [True, False]
        members = [list(each.list_connections_in_group("chat", "editors")) for each in pair]
        assert members == [[GroupConnection(connection, "ann")], []]
        with pytest.raises(ConnectionNotFoundError) as caught:
            bob.add_connection_to_group("chat", "editors", connection)
        assert caught.value.hub == "chat"
        bob.close_connection("chat", connection)
        bob.close_all_connections("chat")
        assert alice.connection_exists("chat", connection)
        alice.close_all_connections("chat")
        theirs.next("closed")


def test_the_service_makes_tokens_for_the_hub_of_the_application(
    emulator: RunningEmulator, identity: CredentialSettings, open_client: OpenClient
) -> None:
    with (
        open_client(
            emulator.service_url, identity, application="alice", token_origin=TokenOrigin.SERVICE
        ) as alice,
        connected(alice, "ann") as (theirs,),
    ):
        theirs.connection_id()
        assert emulator.state()["connections"] == {"alice_chat": 1}


@pytest.fixture(scope="module")
def apps(
    emulator: RunningEmulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[FunctionApp]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                function_app(
                    {**emulator.app_settings, "SIGNALR_APPLICATION": name},
                    tmp_path_factory.mktemp(name),
                )
            )
            for name in ("alice", "bob")
        ]


def test_function_apps_know_their_hubs_by_the_short_names(
    apps: list[FunctionApp], emulator: RunningEmulator
) -> None:
    alice, bob = apps
    answer = alice.post("news/negotiate").json()
    assert answer["url"] == f"{emulator.service_url}/client/?hub=alice_news"
    assert alice.post("alice_news/negotiate").status_code == 404
    with client(alice.url) as theirs, client(bob.url) as other:
        theirs.connection_id()
        connection = other.connection_id()
        message = {"target": "newMessage", "arguments": ["hers"], "hub": "chat"}
        assert alice.post("broadcast", message).status_code == 202
        assert theirs.message() == ["hers"]
        joining = {"action": "add", "groupName": "editors", "connectionId": connection}
        gone = {"status": "refused", "detail": "There is no such connection."}
        assert alice.post("groups", joining).json()["results"] == [gone]
        assert bob.post("groups", joining).status_code == 202
        his = {"target": "newMessage", "arguments": ["his"], "groupName": "editors"}
        assert bob.post("broadcast", his).status_code == 202
        assert other.message() == ["his"]
