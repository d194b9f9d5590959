"""A weak server connection lives as one of the SDK for .NET does."""

import pytest

from shared.errors import InvalidArgumentError, ServiceUnavailableError
from shared.service_protocol.actions import (
    Abandoned,
    Action,
    BufferFull,
    Close,
    InstanceOffline,
    Opened,
    Received,
    RenewToken,
    Status,
    Unreadable,
    Write,
)
from shared.service_protocol.codec import Frames, read, write
from shared.service_protocol.connection import ServerConnection, next_attempt
from shared.service_protocol.fields import FlowConnection, FlowOperation
from shared.service_protocol.messages import (
    AccessKeyRequest,
    AccessKeyResponse,
    Ack,
    ClientCompletion,
    ConnectionFlowControl,
    ErrorCompletion,
    HandshakeResponse,
    Message,
    OpenConnection,
    Ping,
    ServiceError,
    ServiceEvent,
    ServiceMapping,
)
from shared.service_protocol.sends import UserData

ACK = Ack(ack_id=1, status=1, payload=b"")
DATA = UserData(user_id="u", payloads=(("json", b"{}\x1e"),))
WELCOME = write(HandshakeResponse(error="", connection_id="id"))
PING = write(Ping())


def opened(token: str | None = None, now: float = 0.0) -> ServerConnection:
    connection = ServerConnection(token, now)
    connection.start()
    connection.received(WELCOME, now)
    return connection


def written(actions: list[Action]) -> list[Message | None]:
    data = b"".join(each.data for each in actions if isinstance(each, Write))
    return [read(body) for body in Frames().feed(data)]


def reason(actions: list[Action]) -> str:
    (last,) = (each for each in actions if isinstance(each, Close))
    assert actions[-1] is last
    return str(last.error)


def test_the_first_words_are_those_of_a_weak_connection() -> None:
    start = ServerConnection(None, 0.0).start()
    assert start.data.hex() == "0897010102a00080c2"


def test_nothing_is_written_before_the_answer_to_the_handshake() -> None:
    connection = ServerConnection(None, 0.0)
    connection.start()
    with pytest.raises(ServiceUnavailableError, match="has not answered the handshake yet"):
        connection.write(DATA)
    assert connection.prove("token") == []
    assert connection.elapsed(14.9) == []
    assert connection.received(WELCOME, 14.9) == [Opened("id")]
    assert connection.is_open
    assert connection.write(DATA) == write(DATA)


@pytest.mark.parametrize("error", [None, ""])
def test_no_error_and_an_empty_one_are_a_welcome(error: str | None) -> None:
    connection = ServerConnection(None, 0.0)
    assert connection.received(write(HandshakeResponse(error=error)), 1.0) == [Opened(None)]


def test_a_refused_handshake_ends_the_connection_with_its_text() -> None:
    connection = ServerConnection("token", 0.0)
    actions = connection.received(write(HandshakeResponse(error="no such hub")) + PING, 1.0)
    assert reason(actions) == "No server connection: the service refuses it: no such hub"
    assert written(actions) == []
    assert not connection.is_open
    assert connection.due == float("inf")
    assert connection.received(WELCOME, 2.0) == []


@pytest.mark.parametrize("data", [PING, write(ACK), b"\x02\x91\x63"])
def test_anything_else_before_the_answer_ends_the_connection(data: bytes) -> None:
    connection = ServerConnection(None, 0.0)
    assert "before its answer" in reason(connection.received(data + WELCOME, 1.0))
    assert connection.received(WELCOME, 1.0) == []


def test_the_end_comes_once_whatever_stands_behind_it() -> None:
    refused = write(HandshakeResponse(error="no"))
    (only,) = ServerConnection(None, 0.0).received(refused + b"\xff" * 6, 1.0)
    assert isinstance(only, Close)


def test_an_unreadable_answer_ends_the_connection() -> None:
    connection = ServerConnection(None, 0.0)
    assert "unreadable HandshakeResponse" in reason(connection.received(b"\x02\x91\x02", 1.0))


def test_a_service_that_stays_mute_is_left_after_15_s() -> None:
    connection = ServerConnection(None, 100.0)
    assert connection.due == 115.0
    assert connection.elapsed(114.9) == []
    assert "has not answered the handshake yet" in reason(connection.elapsed(115.0))
    assert connection.elapsed(200.0) == []


def test_silence_of_30_s_is_the_end() -> None:
    connection = opened()
    connection.received(PING, 20.0)
    connection.elapsed(49.9)
    assert "nothing came from the service for 30 s" in reason(connection.elapsed(50.0))
    with pytest.raises(ServiceUnavailableError, match="it is closed"):
        connection.write(DATA)


def test_half_a_message_is_a_sign_of_life() -> None:
    connection = opened()
    connection.received(PING[:1], 29.0)
    assert all(not isinstance(each, Close) for each in connection.elapsed(58.0))


def test_a_sign_of_life_is_given_when_something_comes_every_5_s_at_most() -> None:
    connection = opened()
    signs = [now for now in range(1, 20) if connection.received(PING, now) == [Write(PING)]]
    assert signs == [5, 10, 15]


def test_the_status_is_asked_for_every_10_s() -> None:
    connection = opened()
    asked = []
    for now in range(1, 45):
        connection.received(write(ACK), now)
        if written(connection.elapsed(now)) == [Ping(texts=("status", "1"))]:
            asked.append(now)
    assert asked == [10, 20, 30, 40]


def test_what_the_service_says_of_itself_is_told() -> None:
    texts = ("status", "1", "clientcount", "42", "capacity", "1000", "servercount", "many")
    connection = opened()
    assert connection.received(write(Ping(texts=texts)), 1.0) == [Status(True, 42, None, 1000)]
    no = write(Ping(texts=("status", "0")))
    assert connection.received(no, 1.0) == [Status(False, None, None, None)]


def test_a_number_without_end_is_none() -> None:
    data = write(Ping(texts=("status", "1", "capacity", "9" * 10_000)))
    assert opened().received(data, 1.0) == [Status(True, None, None, None)]


@pytest.mark.parametrize("texts", [("echo", "1"), ("echo", None), ("status", None, "echo", "x")])
def test_an_echo_is_sent_back_as_it_came(texts: tuple[str | None, ...]) -> None:
    ping = write(Ping(texts=texts))
    assert opened().received(ping, 1.0) == [Write(ping)]


def test_an_instance_that_is_gone_is_told() -> None:
    data = write(Ping(texts=("offline", "instance-1")))
    assert opened().received(data, 1.0) == [InstanceOffline("instance-1")]


@pytest.mark.parametrize(
    "message",
    [
        Ping(texts=("target", "instance-1")),
        Ping(texts=("offline", None)),
        Ping(texts=("status",)),
        Ping(texts=(None, "1")),
        OpenConnection(connection_id="c", claims=()),
        ConnectionFlowControl(
            connection_id="c",
            connection_type=FlowConnection.CLIENT,
            operation=FlowOperation.PAUSE,
        ),
    ],
)
def test_what_is_no_business_of_a_weak_connection_is_ignored(message: Message) -> None:
    assert opened().received(write(message), 1.0) == []


def test_messages_of_a_later_protocol_are_ignored() -> None:
    assert opened().received(b"\x02\x91\x63", 1.0) == []


@pytest.mark.parametrize(
    "message",
    [
        Ack(ack_id=1, status=2, message="m", payload=b"p"),
        AccessKeyResponse(key_id="k", access_key="secret"),
        ClientCompletion("i", "c", "s", protocol="json", payload=b"42"),
        ErrorCompletion("i", "c", "s", error="no"),
        ServiceMapping(invocation_id="i", connection_id="c", instance_id="x"),
        ServiceEvent(object_type=0, id="i", kind=0, message="reloading"),
    ],
)
def test_what_somebody_may_wait_for_is_told(message: Message) -> None:
    (action,) = opened().received(write(message), 1.0)
    assert isinstance(action, Received)
    assert action.message == message


def test_a_full_buffer_is_told() -> None:
    event = ServiceEvent(object_type=4, id="id", kind=3, message="slower")
    connection = opened()
    assert connection.received(write(event), 1.0) == [BufferFull("slower")]
    assert connection.is_open


def test_the_token_is_shown_at_once_and_every_10_minutes() -> None:
    connection = ServerConnection("first", 0.0)
    connection.start()
    actions = connection.received(WELCOME, 1.0)
    assert written(actions) == [AccessKeyRequest(token="first")]
    assert isinstance(actions[0], Write)
    assert actions[1] == Opened("id")
    renewed = []
    for now in range(2, 1900):
        connection.received(PING, now)
        if RenewToken() in connection.elapsed(now):
            renewed.append(now)
            assert written(connection.prove(f"of {now}")) == [AccessKeyRequest(token=f"of {now}")]
    assert renewed == [601, 1201, 1801]


def test_under_an_access_key_no_token_is_shown() -> None:
    connection = opened(None)
    for now in range(1, 700):
        connection.received(PING, now)
        assert RenewToken() not in connection.elapsed(now)


def test_no_token_is_shown_in_a_log() -> None:
    actions = ServerConnection("secret", 0.0).received(WELCOME, 1.0)
    assert "secret" not in repr(actions)


def test_after_an_error_of_the_service_nothing_is_written() -> None:
    connection = opened("token")
    echo = write(Ping(texts=("echo", "1")))
    actions = connection.received(write(ServiceError(error="out of order")) + echo, 7.0)
    assert actions == [Abandoned("out of order")]
    assert connection.received(echo, 20.0) == []
    assert connection.elapsed(36.0) == []
    assert connection.prove("token") == []
    with pytest.raises(ServiceUnavailableError, match="about to close it"):
        connection.write(DATA)
    assert connection.received(write(ACK), 30.0) == [Received(ACK)]
    assert "about to close it" in reason(connection.elapsed(37.0))


def test_a_message_that_cannot_be_read_is_skipped_alone() -> None:
    connection = opened()
    skipped, told = connection.received(b"\x02\x91\x14" + write(ACK), 1.0)
    assert isinstance(skipped, Unreadable)
    assert "unreadable Ack" in skipped.problem
    assert told == Received(ACK)
    assert connection.is_open


def test_a_length_that_is_none_ends_the_connection_after_what_came_before() -> None:
    connection = opened()
    actions = connection.received(write(ACK) + b"\xff" * 6, 1.0)
    assert actions[0] == Received(ACK)
    assert "longer than 2 GB" in reason(actions)
    assert not connection.is_open


def test_nothing_happens_after_the_end_of_the_socket() -> None:
    connection = opened("token")
    connection.closed()
    assert (connection.received(PING, 6.0), connection.elapsed(1000.0)) == ([], [])
    assert connection.due == float("inf")


def test_a_message_that_cannot_be_written_leaves_the_connection_open() -> None:
    connection = opened()
    with pytest.raises(InvalidArgumentError):
        connection.write(UserData(user_id="\ud800", payloads=()))
    assert connection.is_open


def test_attempts_follow_each_other_as_those_of_the_sdk() -> None:
    started = 1000.0
    delays = [next_attempt(each, started, started, 0.5) - started for each in range(9)]
    assert delays == [0, 1.5, 2.5, 4.5, 8.5, 16.5, 32.5, 60.5, 60.5]
    assert next_attempt(100_000, started, started, 1.0) == started + 61


def test_an_attempt_that_took_long_is_followed_at_once() -> None:
    assert next_attempt(1, 1000.0, 1015.0, 0.9) == 1015.0
    assert next_attempt(0, 1000.0, 1015.0, 0.9) == 1015.0
