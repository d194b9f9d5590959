"""Several endpoints: two services of one emulator, each a resource of its own."""

import contextlib
import json
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from signalr_emulator.testing import RunningEmulator, running_emulator

from shared import (
    Candidate,
    ConnectionNotFoundError,
    CredentialSettings,
    Endpoint,
    EndpointsError,
    EndpointType,
    GroupConnection,
    InvalidArgumentError,
    PermissionDeniedError,
    RetryPolicy,
    ServiceUnavailableError,
    Settings,
    SignalRServiceClient,
    Timeouts,
    UnexpectedResponseError,
)
from shared.transport.threads import MAX_CONCURRENCY
from tests.e2e.processes import PATIENCE, client, function_app
from tests.e2e.service_clients import (
    OpenClient,
    connected,
    raw_client,
    use_identity,
)

EAST, WEST = "local", "local_2"
ONCE = RetryPolicy(attempts=1)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningEmulator]:
    with running_emulator("--service", "0") as emulator:
        yield emulator


@pytest.fixture
def emulator(running: RunningEmulator) -> Iterator[RunningEmulator]:
    yield running
    running.clear_faults()


def url_of(emulator: RunningEmulator, name: str) -> str:
    return emulator.app_settings[f"Azure__SignalR__Endpoints__{name}__serviceUri"]


def both(emulator: RunningEmulator, second: EndpointType = EndpointType.PRIMARY) -> list[Endpoint]:
    return [
        Endpoint(url_of(emulator, EAST), name=EAST),
        Endpoint(url_of(emulator, WEST), name=WEST, type=second),
    ]


def disturb(emulator: RunningEmulator, name: str, action: str, **fault: str | int) -> str:
    """Disturb every request to an endpoint."""
    port = urlsplit(url_of(emulator, name)).port
    return emulator.add_fault(port=port, action=action, **fault)


def by_name(candidates: Sequence[Candidate], _hub: str, user_id: str | None) -> list[Endpoint]:
    """Send a user to the endpoint of the same name: a router of the app's own."""
    return [each.endpoint for each in candidates if each.endpoint.name == user_id]


@pytest.fixture
def signalr(
    emulator: RunningEmulator, identity: CredentialSettings, open_client: OpenClient
) -> Iterator[SignalRServiceClient]:
    with open_client(both(emulator), identity, router=by_name, policy=ONCE) as opened:
        yield opened


def test_operations_reach_the_clients_of_both(signalr: SignalRServiceClient) -> None:
    with connected(signalr, EAST, WEST) as clients:
        east, west = (each.connection_id() for each in clients)
        signalr.send_to_all("chat", "newMessage", ["all"])
        signalr.send_to_user("chat", WEST, "newMessage", ["user"])
        signalr.add_connection_to_group("chat", "editors", west)
        signalr.add_user_to_group("chat", "editors", EAST)
        signalr.send_to_group("chat", "editors", "newMessage", ["group"])
        signalr.send_to_connection("chat", west, "newMessage", ["connection"])
        signalr.send_to_all("chat", "newMessage", ["end"], excluded=[east])
        assert [clients[0].message()[0] for _ in range(2)] == ["all", "group"]
        assert [clients[1].message()[0] for _ in range(5)] == [
            "all", "user", "group", "connection", "end",
        ]  # fmt: skip

        for connection_id in (east, west):
            assert signalr.connection_exists("chat", connection_id)
            assert signalr.invoke_connection("chat", connection_id, "add", [1, 2]) == 3
        assert not signalr.connection_exists("chat", "nobody's")
        assert signalr.user_in_group("chat", EAST, "editors")
        assert set(signalr.list_connections_in_group("chat", "editors")) == {
            GroupConnection(east, EAST),
            GroupConnection(west, WEST),
        }
        with pytest.raises(ConnectionNotFoundError):
            signalr.add_connection_to_group("chat", "editors", "nobody's")
        with pytest.raises(EndpointsError) as caught:
            signalr.invoke_connection("chat", west, "fail")
        assert {name: type(each) for name, each in caught.value.failures.items()} == {
            WEST: UnexpectedResponseError
        }

        signalr.close_all_connections("chat", reason="Good night")
        for each in clients:
            assert "Good night" in each.next("closed")["error"]


def test_a_stream_is_where_its_connection_is(signalr: SignalRServiceClient) -> None:
    access = signalr.get_client_access_token("chat", user_id=WEST)
    with raw_client(access.url, access.token) as streaming:
        signalr.add_user_to_group("chat", "streaming", WEST)
        (one,) = signalr.list_connections_in_group("chat", "streaming")
        signalr.send_stream_item("chat", one.connection_id, "1", "item")
        signalr.complete_stream("chat", one.connection_id, "1")
        assert [streaming.next()["type"] for _ in range(2)] == [2, 3]


def test_a_wrong_argument_is_no_matter_of_endpoints(signalr: SignalRServiceClient) -> None:
    with pytest.raises(InvalidArgumentError, match="hub"):
        signalr.send_to_all("no hub", "newMessage")
    with pytest.raises(ServiceUnavailableError, match="router"):
        signalr.get_client_access_token("chat", user_id="neither")


def test_a_users_connections_meet_at_one_endpoint(
    emulator: RunningEmulator, identity: CredentialSettings, open_client: OpenClient
) -> None:
    with open_client(both(emulator), identity) as signalr:
        urls = {
            user: {signalr.get_client_access_token("chat", user_id=user).url for _ in range(3)}
            for user in map(str, range(40))
        }
    assert all(len(each) == 1 for each in urls.values())
    assert set.union(*urls.values()) == {
        f"{url_of(emulator, name)}/client/?hub=chat" for name in (EAST, WEST)
    }


def test_clients_go_elsewhere_at_once_when_no_key_can_be_had(
    emulator: RunningEmulator, identity: CredentialSettings, open_client: OpenClient
) -> None:
    with socket.socket() as unused:
        # Bound and not listening, so that nothing can connect.
        unused.bind(("127.0.0.1", 0))
        gone = Endpoint(f"http://127.0.0.1:{unused.getsockname()[1]}", name="gone", weight=1000)
        east = Endpoint(url_of(emulator, EAST), name=EAST)
        with open_client([gone, east], identity, policy=ONCE) as signalr:
            assert not signalr.degraded
            with connected(signalr, "ann", "bob", None) as clients:
                for each in clients:
                    each.connection_id()
                assert signalr.degraded
                assert [each.key.key_id is None for each in signalr.state] == [True, False]

                with pytest.raises(EndpointsError) as caught:
                    signalr.send_to_all("chat", "newMessage", ["Hello"])
                assert {name: type(each) for name, each in caught.value.failures.items()} == {
                    "gone": ServiceUnavailableError
                }
                assert caught.value.succeeded == (EAST,)
                for each in clients:
                    assert each.message() == ["Hello"]


def test_one_yes_settles_a_question_and_one_no_does_not(
    emulator: RunningEmulator, signalr: SignalRServiceClient
) -> None:
    with connected(signalr, EAST) as (east,):
        connection_id = east.connection_id()
        disturb(emulator, WEST, "reset")
        assert signalr.connection_exists("chat", connection_id)
        signalr.add_connection_to_group("chat", "editors", connection_id)
        for ask in (signalr.user_exists, signalr.group_exists):
            with pytest.raises(EndpointsError) as caught:
                ask("chat", "nobody")
            assert set(caught.value.failures) == {WEST}
        with pytest.raises(EndpointsError):
            signalr.add_connection_to_group("chat", "editors", "nobody's")


def test_an_endpoint_that_does_not_answer_holds_up_nobody_else(
    emulator: RunningEmulator, identity: CredentialSettings, open_client: OpenClient
) -> None:
    sends = 5 * MAX_CONCURRENCY
    # Longer than the test waits for a message, so that no send has given up by then.
    timeouts = Timeouts(read=2 * PATIENCE)
    with (
        open_client(both(emulator), identity, router=by_name, timeouts=timeouts) as signalr,
        connected(signalr, EAST) as (east,),
        ThreadPoolExecutor(sends) as senders,
    ):
        east.connection_id()
        disturb(emulator, WEST, "freeze", operation="sendToHub")
        sent = [
            senders.submit(signalr.send_to_all, "chat", "newMessage", [number])
            for number in range(sends)
        ]
        try:
            assert {east.message()[0] for _ in range(sends)} == set(range(sends))
            assert not any(each.done() for each in sent)
        finally:
            emulator.clear_faults()
        for each in sent:
            each.result()


def test_a_send_that_is_never_begun_is_given_up_and_named(
    emulator: RunningEmulator, identity: CredentialSettings, open_client: OpenClient
) -> None:
    sends = 8 * MAX_CONCURRENCY
    # Long enough for a busy machine to begin those that can be.
    timeouts = Timeouts(read=2.0)
    with (
        open_client(both(emulator), identity, timeouts=timeouts, policy=ONCE) as signalr,
        ThreadPoolExecutor(sends) as senders,
    ):
        signalr.send_to_all("chat", "newMessage")
        disturb(emulator, WEST, "freeze", operation="sendToHub")
        sent = [senders.submit(signalr.send_to_all, "chat", "newMessage") for _ in range(sends)]
        failures = [each.exception() for each in sent]
        emulator.clear_faults()
    for failure in failures:
        assert isinstance(failure, EndpointsError)
        assert failure.succeeded == (EAST,)
    assert any("other requests" in str(failure) for failure in failures)


def settle(signalr: SignalRServiceClient, *, healthy: bool) -> None:
    """Check the first endpoint until the checks say what is so."""
    while signalr.state[0].healthy is not healthy:
        check(signalr)


def check(signalr: SignalRServiceClient) -> None:
    assert signalr.several is not None
    signalr.several.monitor.check()


def chosen(signalr: SignalRServiceClient) -> set[str]:
    """Return where clients are sent."""
    users = [None, *map(str, range(20))]
    accesses = [signalr.get_client_access_token("chat", user_id=user) for user in users]
    return {access.url.partition("/client")[0] for access in accesses}


@pytest.mark.parametrize("action", ["reset", "freeze"])
def test_the_secondary_takes_clients_while_the_primary_is_down(
    emulator: RunningEmulator, identity: CredentialSettings, action: str
) -> None:
    endpoints = both(emulator, EndpointType.SECONDARY)
    with SignalRServiceClient(endpoints, identity, policy=ONCE) as signalr:
        assert chosen(signalr) == {url_of(emulator, EAST)}
        assert not signalr.degraded

        fault = disturb(emulator, EAST, action)
        settle(signalr, healthy=False)
        assert chosen(signalr) == {url_of(emulator, WEST)}
        assert signalr.degraded
        assert [(each.name, each.type, each.healthy) for each in signalr.state] == [
            (EAST, EndpointType.PRIMARY, False),
            (WEST, EndpointType.SECONDARY, True),
        ]

        emulator.clear_fault(fault)
        settle(signalr, healthy=True)
        assert chosen(signalr) == {url_of(emulator, EAST)}
        assert not signalr.degraded


def test_one_failed_check_moves_nobody(
    emulator: RunningEmulator, signalr: SignalRServiceClient
) -> None:
    disturb(emulator, EAST, "reset", operation="health", times=1)
    check(signalr)
    assert all(each.healthy for each in signalr.state)


def test_without_any_endpoint_the_error_names_all(
    emulator: RunningEmulator, identity: CredentialSettings, open_client: OpenClient
) -> None:
    emulator.add_fault(operation=["getAccessKey", "sendToHub"], action="reset")
    with open_client(both(emulator), identity, policy=ONCE) as signalr:
        for attempt in (
            lambda: signalr.get_client_access_token("chat"),
            lambda: signalr.send_to_all("chat", "newMessage"),
        ):
            with pytest.raises(EndpointsError) as caught:
                attempt()
            assert set(caught.value.failures) == {EAST, WEST}
            assert caught.value.succeeded == ()


def test_each_endpoint_has_an_identity_of_its_own(
    open_client: OpenClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, user = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
    identities = [
        {"kind": "system", "principalId": system, "clientId": system, "resourceId": "/sites/a"},
        {"kind": "user", "principalId": user, "clientId": user, "resourceId": "/identities/b"},
    ]
    config = tmp_path / "emulator.json"
    config.write_text(json.dumps({"identities": identities}))
    with running_emulator("--config", str(config), "--service", "0") as emulator:
        credentials = [use_identity(emulator, monkeypatch, client_id) for client_id in (None, user)]
        with open_client(both(emulator), credentials, router=by_name) as signalr:
            with connected(signalr, EAST) as (east,):
                east.connection_id()
                # The emulator gives the role to the system-assigned identity alone.
                with pytest.raises(EndpointsError) as caught:
                    signalr.send_to_all("chat", "newMessage", ["Hello"])
                assert east.message() == ["Hello"]
            assert caught.value.succeeded == (EAST,)
            refused = caught.value.failures[WEST]
            assert isinstance(refused, PermissionDeniedError)
            assert user in str(refused)


@pytest.mark.usefixtures("identity")
def test_clients_and_requests_go_where_the_settings_say(emulator: RunningEmulator) -> None:
    port = urlsplit(url_of(emulator, EAST)).port
    connection = "Azure__SignalR__Endpoints__behind"
    settings = Settings.from_environment(
        {
            f"{connection}__serviceUri": "http://127.0.0.1:1",
            f"{connection}__clientEndpoint": f"http://localhost:{port}",
            f"{connection}__serverEndpoint": f"http://127.0.0.1:{port}",
            f"{connection}__credential": "managedidentity",
            "SIGNALR_HUBS": "chat",
        }
    )
    with SignalRServiceClient.from_settings(settings) as signalr:
        assert signalr.get_client_access_token("chat").url == (
            f"http://localhost:{port}/client/?hub=chat"
        )
        with connected(signalr, "ann") as (ann,):
            ann.connection_id()
            signalr.send_to_user("chat", "ann", "newMessage", ["Hello"])
            assert ann.message() == ["Hello"]


def test_the_function_app_uses_both(emulator: RunningEmulator, tmp_path: Path) -> None:
    settings = {
        **emulator.app_settings,
        "WEBSITE_AUTH_ENABLED": "True",
        "NEGOTIATE_IDENTITY": "app-service",
    }
    with function_app(settings, tmp_path) as app, contextlib.ExitStack() as stack:
        clients = {}
        for number in range(100):
            caller = {"x-ms-client-principal-id": f"user-{number}"}
            url = app.post("negotiate", **caller).json()["url"].partition("/client")[0]
            if url not in clients:
                clients[url] = stack.enter_context(client(app.url, **caller))
        east, west = (clients.pop(url_of(emulator, name)) for name in (EAST, WEST))
        assert not clients
        ids = [each.connection_id() for each in (east, west)]

        hello = {"target": "newMessage", "arguments": ["Hello"]}
        answer = app.post("broadcast", hello)
        assert (answer.status_code, answer.json()) == (202, {"results": [{"status": "accepted"}]})
        assert east.message() == west.message() == ["Hello"]

        disturb(emulator, WEST, "reset", operation="sendToHub")
        partial = {"target": "newMessage", "arguments": ["half"]}
        answer = app.post("broadcast", partial)
        assert answer.status_code == 207
        (result,) = answer.json()["results"]
        assert result["status"] == "partial"
        assert "twice" in result["detail"]
        # Each message has a result of its own.
        answer = app.post("broadcast", [partial, {**hello, "connectionId": ids[1]}])
        assert answer.status_code == 207
        assert [each["status"] for each in answer.json()["results"]] == ["partial", "accepted"]
        assert [east.message()[0] for _ in range(2)] == ["half", "half"]
        assert west.message() == ["Hello"]

        disturb(emulator, EAST, "reset", operation="sendToHub")
        answer = app.post("broadcast", hello)
        assert answer.status_code == 503
        assert [each["status"] for each in answer.json()["results"]] == ["failed"]
