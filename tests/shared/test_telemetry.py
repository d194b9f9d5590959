"""What log records say besides their text."""

import logging
from collections.abc import Iterator

import pytest
from azure.core.credentials import AccessToken

from shared import RetryPolicy, SignalRError, SignalRServiceClient
from shared.errors import (
    AuthenticationError,
    EndpointsError,
    ServiceUnavailableError,
    UnknownHubError,
)
from shared.telemetry import log_fields
from tests.scripted_service import Received, Reply, scripted_service


class Credential:
    def get_token(self, *_: str, **__: object) -> AccessToken:
        return AccessToken("e30.e30.sig", 2**40)


@pytest.fixture
def overloaded() -> Iterator[SignalRServiceClient]:
    def answer(_: Received) -> Reply:
        return Reply(503, {"x-ms-request-id": "known-to-support"})

    with (
        scripted_service(answer) as service,
        SignalRServiceClient(service.url, Credential(), policy=RetryPolicy(attempts=1)) as signalr,
    ):
        yield signalr


def test_an_error_of_the_service_knows_hub_endpoint_and_request(
    overloaded: SignalRServiceClient,
) -> None:
    with pytest.raises(SignalRError) as raised:
        overloaded.send_to_user("chat", "ann", "newMessage")
    assert log_fields(raised.value) == {
        "error.type": "ServiceUnavailableError",
        "http.response.status_code": 503,
        "signalr.endpoint": overloaded.state[0].name,
        "signalr.hub": "chat",
        "signalr.request_id": "known-to-support",
    }


def test_a_traced_message_has_the_name_that_was_sent_along(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def answer(request: Received) -> Reply:
        return Reply(503 if "/users/" in request.path else 202)

    with (
        caplog.at_level(logging.INFO, "shared"),
        scripted_service(answer) as service,
        SignalRServiceClient(
            service.url,
            Credential(),
            policy=RetryPolicy(attempts=2, first_delay=0.0),
            message_tracing=True,
        ) as signalr,
    ):
        signalr.send_to_all("chat", "newMessage")
        signalr.send_to_group("chat", "editors", "newMessage")
        with pytest.raises(SignalRError) as raised:
            signalr.send_to_user("chat", "ann", "newMessage")
    all_, group, *user = [
        request.headers["X-ASRS-Message-Tracing-Id"] for request in service.received
    ]
    # A message that is sent a second time is the same message.
    assert len(user) == 2
    assert len({all_, group, *user}) == 3
    # A signed number of 64 bits, which is what the column of the service's log is.
    assert all(0 <= int(each) < 2**63 for each in (all_, group, *user))
    logged = [
        (record.getMessage(), record.__dict__["signalr.message_tracing_id"])
        for record in caplog.records
    ]
    assert logged == [
        (f"Message {all_} (send_to_all in hub chat) was answered 202", all_),
        (f"Message {group} (send_to_group in hub chat) was answered 202", group),
    ]
    assert log_fields(raised.value)["signalr.message_tracing_id"] == user[0]


def test_no_message_is_traced_unless_it_is_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.INFO, "shared"),
        scripted_service(lambda _: Reply(202)) as service,
        SignalRServiceClient(service.url, Credential()) as signalr,
    ):
        signalr.send_to_all("chat", "newMessage")
    assert all("X-ASRS-Message-Tracing-Id" not in each.headers for each in service.received)
    assert not caplog.records


def test_what_is_behind_a_missing_key_is_said(
    overloaded: SignalRServiceClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(SignalRError) as raised:
        overloaded.get_client_access_token("chat")
    expected = {
        "http.response.status_code": 503,
        "signalr.endpoint": overloaded.state[0].name,
        "signalr.request_id": "known-to-support",
    }
    assert expected.items() <= log_fields(raised.value).items()
    (record,) = caplog.records
    assert expected.items() <= record.__dict__.items()


def test_several_endpoints_are_all_named() -> None:
    failures = {
        "east": ServiceUnavailableError("no", endpoint="east", hub="chat", request_id="1"),
        "west": AuthenticationError("no", endpoint="west", hub="chat", status=401, request_id="2"),
    }
    assert log_fields(EndpointsError(failures, [])) == {
        "error.type": "EndpointsError",
        "http.response.status_code": 401,
        "signalr.endpoint": "east,west",
        "signalr.hub": "chat",
        "signalr.request_id": "1,2",
    }


def test_what_is_not_known_is_left_out() -> None:
    assert log_fields() == {}
    assert log_fields(UnknownHubError("Chat"), hub="chat") == {
        "error.type": "UnknownHubError",
        "signalr.hub": "chat",
    }
    assert log_fields(AuthenticationError("no identity"), endpoint="east") == {
        "error.type": "AuthenticationError",
        "signalr.endpoint": "east",
    }
