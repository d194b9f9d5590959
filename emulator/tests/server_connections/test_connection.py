"""One server connection without a socket: bytes and the time go in, events come out."""

import logging

import pytest
from signalr_emulator.server_connections.connection import (
    Closed,
    Connection,
    Event,
    Opened,
    Received,
    Send,
)
from signalr_emulator.server_connections.timing import ServerTiming
from signalr_emulator.service_protocol.codec import write
from signalr_emulator.service_protocol.messages import (
    HandshakeRequest,
    HandshakeResponse,
    Ping,
    ServiceError,
)

HANDSHAKE = bytes.fromhex("0897010100a00080c2")
"""As Microsoft.Azure.SignalR 1.34.0 writes it, behind its length."""

REQUEST = HandshakeRequest(version=1, target="")
WELCOME: list[Event] = [Send(HandshakeResponse("", "one")), Opened(REQUEST)]
PING = write(Ping())


def waiting(refusal: str | None = None) -> Connection:
    return Connection("one", lambda _asked: refusal, ServerTiming(), 100.0)


def opened() -> Connection:
    connection = waiting()
    assert list(connection.receive(HANDSHAKE, 100.0)) == WELCOME
    return connection


def test_the_answer_to_the_handshake_is_the_first_event() -> None:
    events = list(waiting().receive(HANDSHAKE + PING, 101.0))
    assert events == [*WELCOME, Received(Ping())]


def test_any_cut_gives_the_same_events() -> None:
    connection = waiting()
    data = HANDSHAKE + PING
    events = [each for byte in data for each in connection.receive(bytes([byte]), 101.0)]
    assert events == [*WELCOME, Received(Ping())]


def test_a_refusal_says_why_and_is_the_end() -> None:
    connection = waiting("Not now.")
    assert list(connection.receive(HANDSHAKE + PING, 101.0)) == [
        Send(HandshakeResponse("Not now.")),
        Closed("Not now."),
    ]
    assert connection.is_closed
    assert list(connection.check(200.0)) == []


def test_nothing_is_sent_before_the_handshake_whose_time_is_limited() -> None:
    connection = waiting()
    assert list(connection.receive(HANDSHAKE[:-1], 114.0)) == []
    assert connection.deadline == 115.0
    assert list(connection.check(114.9)) == []
    error = "The handshake did not come within 15 seconds."
    assert list(connection.check(115.0)) == [Send(HandshakeResponse(error)), Closed(error)]


def test_pings_come_every_five_seconds() -> None:
    connection = opened()
    assert connection.deadline == 105.0
    assert list(connection.check(104.9)) == []
    assert list(connection.check(105.0)) == [Send(Ping())]
    assert connection.deadline == 110.0
    # One that came late is not made up for.
    assert list(connection.check(119.0)) == [Send(Ping())]
    assert connection.deadline == 124.0


def test_silence_of_thirty_seconds_is_the_end() -> None:
    connection = opened()
    list(connection.check(125.0))
    # Part of a message is a sign of life too.
    list(connection.receive(PING[:1], 125.0))
    for now in (130.0, 135.0, 140.0, 145.0, 150.0):
        assert list(connection.check(now)) == [Send(Ping())]
    assert connection.deadline == 155.0
    silent = "The server is silent."
    assert list(connection.check(155.0)) == [Send(ServiceError(silent)), Closed(silent)]
    assert list(connection.check(156.0)) == []


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x91\xa1x", b"\x93\x06\xa1c", b"\x92\x12\xa1c"])
def test_a_message_that_cannot_be_read_is_skipped(
    body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        events = list(opened().receive(bytes([len(body)]) + body + PING, 101.0))
    assert events == [Received(Ping())]
    assert "is ignored" in caplog.text


def test_what_a_message_says_that_cannot_be_read_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # A request for an access key whose `kid` is no text.
    body = b"\x94\x1c\xa6secret\x05\x80"
    assert list(opened().receive(bytes([len(body)]) + body, 101.0)) == []
    assert "AccessKeyRequest" in caplog.text
    assert "secret" not in caplog.text


def test_a_type_of_the_future_is_nothing() -> None:
    assert list(opened().receive(b"\x03\x92\x63\xc0", 101.0)) == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xff\xff\xff\x07", "A message is longer than 67108864 bytes."),
        (b"\xff\xff\xff\xff\xff", "The length of a message has more than 5 bytes."),
    ],
)
def test_a_length_that_cannot_be_is_the_end_after_what_came_before(
    data: bytes, reason: str
) -> None:
    connection = opened()
    events = list(connection.receive(PING + data + PING, 101.0))
    assert events == [Received(Ping()), Send(ServiceError(reason)), Closed(reason)]
    assert connection.is_closed
