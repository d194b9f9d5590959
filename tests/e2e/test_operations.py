"""Every operation of the data plane by both clients, against the emulator, with its effect."""

import contextlib
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from signalr_emulator.testing import RunningEmulator, running_emulator

from shared import (
    Command,
    ConnectionNotFoundError,
    CredentialSettings,
    GroupConnection,
    InvalidArgumentError,
    PermissionDeniedError,
    SignalRServiceClient,
    TokenOrigin,
    UnexpectedResponseError,
)
from tests.e2e.processes import Client, client
from tests.e2e.service_clients import (
    ALL_CLIENTS,
    OpenClient,
    connected,
    raw_client,
    use_identity,
)


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    with running_emulator() as running:
        yield running


@pytest.fixture(params=ALL_CLIENTS)
def signalr(
    emulator: RunningEmulator, identity: CredentialSettings, request: pytest.FixtureRequest
) -> Iterator[SignalRServiceClient]:
    with ALL_CLIENTS[request.param](emulator.service_url, identity) as opened:
        yield opened


def received(client: Client, last: str = "end") -> list[object]:
    """Return the first argument of each message before the last one."""
    found = [client.message()[0]]
    while found[-1] != last:
        found.append(client.message()[0])
    return found[:-1]


def test_sends(signalr: SignalRServiceClient) -> None:
    with connected(signalr, "ann", "bob") as (ann, bob):
        anns, bobs = ann.connection_id(), bob.connection_id()
        for each in (anns, bobs):
            signalr.add_connection_to_group("chat", "editors", each)
        signalr.send_to_all("chat", "newMessage", ["all"])
        signalr.send_to_all("chat", "newMessage", ["all but bob"], excluded=[bobs])
        signalr.send_to_group("chat", "editors", "newMessage", ["group"])
        signalr.send_to_group("chat", "editors", "newMessage", ["but ann"], excluded=[anns])
        signalr.send_to_user("chat", "bob", "newMessage", ["user"])
        signalr.send_to_connection("chat", anns, "newMessage", ["connection"])
        # By a server connection the answer says that what was sent before has come.
        assert signalr.user_exists("chat", "bob")
        signalr.execute(
            "chat",
            [Command("SendMessage", target="newMessage", arguments=["executed"])],
            filter="userId eq 'bob'",
        )
        signalr.send_to_all("chat", "newMessage", ["end"])
        assert received(ann) == ["all", "all but bob", "group", "connection"]
        assert received(bob) == ["all", "group", "but ann", "user", "executed"]


def test_arguments_arrive_as_they_are(signalr: SignalRServiceClient) -> None:
    arguments = ["Grüße 🎈", 1.5, None, {"list": [True, "<&>"]}]
    with connected(signalr, "ännchen/ä b?") as (client,):
        client.connection_id()
        signalr.send_to_user("chat", "ännchen/ä b?", "newMessage", arguments)
        assert client.message() == arguments


def test_numbers_bytes_and_times(signalr: SignalRServiceClient) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    with connected(signalr, "ann") as (client,):
        client.connection_id()
        signalr.send_to_user("chat", "ann", "newMessage", [Decimal("12.50"), {"a": Decimal(7)}])
        assert client.message() == [12.5, {"a": 7}]
        signalr.send_to_user("chat", "ann", "newMessage", [b"\x00\x01", {"at": at}])
        assert client.message() == ["AAE=", {"at": "2026-01-02T03:04:05Z"}]


def test_bytes_and_times_are_what_they_are_to_a_client_of_messagepack(
    signalr: SignalRServiceClient,
) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    url, token, _ = signalr.get_client_access_token("chat", user_id="ann")
    with client(url, protocol="messagepack", Authorization=f"Bearer {token}") as ann:
        ann.connection_id()
        signalr.send_to_user("chat", "ann", "newMessage", [b"\x00\xff", {"at": at}])
        # As JavaScript writes a Uint8Array and a Date in JSON.
        assert ann.message() == [{"0": 0, "1": 255}, {"at": "2026-01-02T03:04:05.000Z"}]


def test_closings_tell_the_reason_and_leave_the_excluded(signalr: SignalRServiceClient) -> None:
    users = ("ann", "bob", "cid", "cid", "dan", "eve")
    with connected(signalr, *users) as (ann, bob, cid, cid_too, dan, eve):
        anns, bobs, _, cids, dans, _ = [
            each.connection_id() for each in (ann, bob, cid, cid_too, dan, eve)
        ]
        for each in (anns, dans):
            signalr.add_connection_to_group("chat", "editors", each)
        signalr.close_connection("chat", bobs, reason="by connection")
        signalr.close_user_connections("chat", "cid", excluded=[cids], reason="by user")
        signalr.close_group_connections("chat", "editors", excluded=[anns], reason="by group")
        for client, reason in ((bob, "connection"), (cid, "user"), (dan, "group")):
            assert f"by {reason}" in client.next("closed")["error"]
        signalr.close_all_connections("chat", excluded=[anns, cids], reason="by hub")
        assert "by hub" in eve.next("closed")["error"]

        # One that is gone already is no error.
        signalr.close_connection("chat", bobs)
        signalr.send_to_all("chat", "newMessage", ["end"])
        assert received(ann) == received(cid_too) == []
        signalr.execute(
            "chat", [Command("CloseConnection", reason="executed")], filter="userId eq 'ann'"
        )
        assert "executed" in ann.next("closed")["error"]


def test_existence_and_groups(signalr: SignalRServiceClient) -> None:
    with connected(signalr, "ann", "bob") as (ann, bob):
        anns, bobs = ann.connection_id(), bob.connection_id()
        assert signalr.connection_exists("chat", anns)
        assert not signalr.connection_exists("news", anns)
        assert signalr.user_exists("chat", "ann")
        assert not signalr.user_exists("chat", "nobody")
        assert not signalr.group_exists("chat", "editors")
        assert not signalr.user_in_group("chat", "bob", "editors")

        signalr.add_connection_to_group("chat", "editors", anns)
        signalr.add_user_to_group("chat", "editors", "bob")
        assert signalr.group_exists("chat", "editors")
        assert signalr.user_in_group("chat", "bob", "editors")
        members = {GroupConnection(anns, "ann"), GroupConnection(bobs, "bob")}
        assert set(signalr.list_connections_in_group("chat", "editors")) == members

        signalr.remove_user_from_group("chat", "editors", "bob")
        assert not signalr.user_in_group("chat", "bob", "editors")
        signalr.remove_connection_from_group("chat", "editors", anns)
        assert not signalr.group_exists("chat", "editors")

        for group in ("editors", "readers"):
            signalr.add_connection_to_group("chat", group, anns)
            signalr.add_user_to_group("chat", group, "bob")
        signalr.remove_connection_from_all_groups("chat", anns)
        signalr.remove_user_from_all_groups("chat", "bob")
        for group in ("editors", "readers"):
            assert list(signalr.list_connections_in_group("chat", group)) == []

        joined = [Command("JoinGroup", group="all")]
        signalr.execute("chat", joined, filter="userId eq 'ann' or userId eq 'bob'")
        signalr.execute("chat", [Command("LeaveGroup", group="all")], filter="userId eq 'ann'")
        assert list(signalr.list_connections_in_group("chat", "all")) == [
            GroupConnection(bobs, "bob")
        ]


def test_what_is_not_there(signalr: SignalRServiceClient) -> None:
    with pytest.raises(ConnectionNotFoundError):
        signalr.invoke_connection("chat", "nobody's", "add", [1, 2])
    with pytest.raises(ConnectionNotFoundError):
        signalr.send_stream_item("chat", "nobody's", "1", "item")
    with pytest.raises(ConnectionNotFoundError):
        signalr.complete_stream("chat", "nobody's", "1")
    # What is to be gone and is not there is no error.
    signalr.send_to_connection("chat", "nobody's", "newMessage")
    signalr.remove_connection_from_group("chat", "editors", "nobody's")
    signalr.remove_connection_from_all_groups("chat", "nobody's")
    signalr.remove_user_from_group("chat", "editors", "nobody")
    signalr.remove_user_from_all_groups("chat", "nobody")


def test_the_rest_api_puts_nobody_into_no_group(
    emulator: RunningEmulator, identity: CredentialSettings, open_client: OpenClient
) -> None:
    with (
        open_client(emulator.service_url, identity) as signalr,
        pytest.raises(ConnectionNotFoundError),
    ):
        signalr.add_connection_to_group("chat", "editors", "nobody's")


def test_to_a_server_connection_it_is_done_when_the_connection_is_gone(
    emulator: RunningEmulator, identity: CredentialSettings
) -> None:
    with ALL_CLIENTS["persistent"](emulator.service_url, identity) as signalr:
        signalr.add_connection_to_group("chat", "editors", "nobody's")
        assert not signalr.group_exists("chat", "editors")


def test_a_user_stays_in_a_group_for_its_time(
    emulator: RunningEmulator, signalr: SignalRServiceClient
) -> None:
    with connected(signalr, "ann") as (ann,):
        ann.connection_id()
        signalr.add_user_to_group("chat", "for a minute", "ann", ttl=60)
        signalr.add_user_to_group("chat", "these", "ann", ttl=0)
        with connected(signalr, "ann") as (later,):
            later.connection_id()
            for group in ("for a minute", "these"):
                signalr.send_to_group("chat", group, "newMessage", [group])
            emulator.advance_clock(61)
            signalr.send_to_group("chat", "for a minute", "newMessage", ["too late"])
            assert not signalr.user_in_group("chat", "ann", "for a minute")
            signalr.send_to_all("chat", "newMessage", ["end"])
            assert received(ann) == ["for a minute", "these"]
            assert received(later) == ["for a minute"]


def test_a_list_of_several_pages(signalr: SignalRServiceClient) -> None:
    access = signalr.get_client_access_token("chat", user_id="many")
    with contextlib.ExitStack() as stack:
        for _ in range(201):
            stack.enter_context(raw_client(access.url, access.token))
        signalr.add_user_to_group("chat", "crowd", "many")
        listed = list(signalr.list_connections_in_group("chat", "crowd"))
    assert len({each.connection_id for each in listed}) == len(listed) == 201


def test_an_invocation_gives_the_clients_answer(signalr: SignalRServiceClient) -> None:
    with connected(signalr, "ann") as (ann,):
        connection_id = ann.connection_id()
        assert signalr.invoke_connection("chat", connection_id, "add", [1, 2]) == 3
        with pytest.raises(UnexpectedResponseError) as caught:
            signalr.invoke_connection("chat", connection_id, "fail")
        assert caught.value.status == 400
        assert caught.value.code


def test_streams(signalr: SignalRServiceClient) -> None:
    access = signalr.get_client_access_token("chat", user_id="streams")
    with raw_client(access.url, access.token) as client:
        signalr.add_user_to_group("chat", "streams", "streams")
        (one,) = signalr.list_connections_in_group("chat", "streams")
        signalr.send_stream_item("chat", one.connection_id, "7", {"n": 1})
        signalr.send_stream_item("chat", one.connection_id, "7", 2, completed=True)
        signalr.send_stream_item("chat", one.connection_id, "8", None)
        signalr.complete_stream("chat", one.connection_id, "8", error="No more")
        assert [client.next() for _ in range(5)] == [
            {"type": 2, "invocationId": "7", "item": {"n": 1}},
            {"type": 2, "invocationId": "7", "item": 2},
            {"type": 3, "invocationId": "7"},
            {"type": 2, "invocationId": "8", "item": None},
            {"type": 3, "invocationId": "8", "error": "No more"},
        ]


def test_health(emulator: RunningEmulator, signalr: SignalRServiceClient) -> None:
    assert signalr.service_is_healthy()
    emulator.add_fault(operation="health", status=503, times=1)
    assert not signalr.service_is_healthy()
    assert signalr.service_is_healthy()


def test_tokens_by_the_service(
    emulator: RunningEmulator, identity: CredentialSettings, open_client: OpenClient
) -> None:
    with open_client(emulator.service_url, identity, token_origin=TokenOrigin.SERVICE) as signalr:
        with connected(signalr, "ann") as (ann,):
            ann.connection_id()
            signalr.send_to_user("chat", "ann", "newMessage", ["Hello"])
            assert ann.message() == ["Hello"]
        with pytest.raises(InvalidArgumentError, match="access key"):
            signalr.get_client_access_token("chat", claims={"role": "admin"})


@pytest.fixture(scope="module")
def rest_owner() -> Iterator[RunningEmulator]:
    with running_emulator("--role", "SignalR REST API Owner") as running:
        yield running


@pytest.fixture(scope="module")
def app_server() -> Iterator[RunningEmulator]:
    with running_emulator("--role", "SignalR App Server") as running:
        yield running


def test_without_access_keys_the_service_makes_the_tokens(
    rest_owner: RunningEmulator,
    open_client: OpenClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    identity = use_identity(rest_owner, monkeypatch)
    with (
        open_client(rest_owner.service_url, identity, token_origin=TokenOrigin.AUTO) as signalr,
        connected(signalr, "ann", "bob") as (ann, bob),
    ):
        ann.connection_id()
        bob.connection_id()
        signalr.send_to_user("chat", "bob", "newMessage", ["Hello"])
        assert bob.message() == ["Hello"]
    warnings = [
        each.getMessage()
        for each in caplog.records
        if each.levelno == logging.WARNING and each.name == "shared.endpoints.negotiation"
    ]
    assert len(warnings) == 1
    assert "'SignalR App Server'" in warnings[0]


def test_a_role_that_may_not_send_is_named(
    app_server: RunningEmulator, open_client: OpenClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = use_identity(app_server, monkeypatch)
    principal = app_server.state()["roleAssignments"][0]["principalId"]
    with open_client(app_server.service_url, identity, token_origin=TokenOrigin.AUTO) as signalr:
        with connected(signalr, "ann") as (ann,):
            ann.connection_id()
        with pytest.raises(PermissionDeniedError) as caught:
            signalr.send_to_user("chat", "ann", "newMessage")
    assert caught.value.status == 403
    said = str(caught.value)
    assert "Microsoft.SignalRService/SignalR/user/send/action" in said
    assert "'SignalR REST API Owner'" in said
    assert f"az role assignment create --assignee-object-id {principal} " in said
