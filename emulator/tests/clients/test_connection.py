import pytest
from signalr_emulator.clients.connection import Connection, State
from signalr_emulator.clients.connection_events import Closed, Invoked, Opened, Send
from signalr_emulator.protocols.messages import ReceivedInvocation
from signalr_emulator.transports.timing import Timing

HANDSHAKE = b'{"protocol":"json","version":1}\x1e'


def opened(now: float = 0.0) -> Connection:
    connection = Connection(now, Timing())
    assert connection.receive(HANDSHAKE, now) == [Send(b"{}\x1e"), Opened()]
    assert connection.state is State.OPEN
    return connection


def test_handshake_and_messages_in_one_piece() -> None:
    connection = Connection(0.0, Timing())
    events = connection.receive(
        HANDSHAKE
        + b'{"type":6}\x1e{"type":1,"target":"a","arguments":[]}\x1e'
        + b'{"type":4,"invocationId":"1","target":"b","arguments":[2]}\x1e',
        1.0,
    )
    assert events == [
        Send(b"{}\x1e"),
        Opened(),
        Invoked(ReceivedInvocation("a"), b'{"type":1,"target":"a","arguments":[]}'),
        Invoked(
            ReceivedInvocation("b", "1", is_stream=True),
            b'{"type":4,"invocationId":"1","target":"b","arguments":[2]}',
        ),
    ]


def test_handshake_in_single_bytes() -> None:
    connection = Connection(0.0, Timing())
    events = [event for byte in HANDSHAKE for event in connection.receive(bytes([byte]), 1.0)]
    assert events == [Send(b"{}\x1e"), Opened()]


@pytest.mark.parametrize(
    ("request_record", "error"),
    [
        (
            b'{"protocol":"xml","version":1}',
            "The protocol 'xml' is not supported.",
        ),
        (
            b'{"protocol":"json","version":3}',
            "Version 3 of the protocol 'json' is not supported.",
        ),
        (b"hello", "A message is not valid JSON in UTF-8."),
    ],
)
def test_refused_handshake(request_record: bytes, error: str) -> None:
    connection = Connection(0.0, Timing())
    assert connection.receive(request_record + b"\x1e", 1.0) == [
        Send(b'{"error":"' + error.encode() + b'"}\x1e'),
        Closed(error),
    ]
    assert connection.state is State.CLOSED
    assert connection.receive(HANDSHAKE, 2.0) == []
    assert connection.check(100.0) == []


def test_handshake_that_does_not_come() -> None:
    connection = Connection(100.0, Timing())
    assert connection.deadline == 115.0
    assert connection.check(114.9) == []
    error = "The handshake did not come within 15 seconds."
    assert connection.check(115.0) == [
        Send(b'{"error":"' + error.encode() + b'"}\x1e'),
        Closed(error),
    ]


def test_malformed_message_closes_after_what_came_before() -> None:
    events = opened().receive(
        b'{"type":1,"target":"a","arguments":[]}\x1e{"type":1}\x1e{"type":6}\x1e', 1.0
    )
    assert events == [
        Invoked(ReceivedInvocation("a"), b'{"type":1,"target":"a","arguments":[]}'),
        Send(b'{"type":7,"error":"A message lacks its target.","allowReconnect":true}\x1e'),
        Closed("A message lacks its target."),
    ]


def test_pings_while_the_client_is_alive() -> None:
    connection = opened(0.0)
    for beat in range(1, 5):
        assert connection.deadline == 15.0 * beat
        assert connection.receive(b'{"type":6}\x1e', 15.0 * beat) == []
        assert connection.check(15.0 * beat) == [Send(b'{"type":6}\x1e')]


def test_silent_client_is_closed_and_may_come_back() -> None:
    connection = opened(0.0)
    assert connection.check(15.0) == [Send(b'{"type":6}\x1e')]
    assert connection.deadline == 30.0
    assert connection.check(30.0) == [Send(b'{"type":7,"allowReconnect":true}\x1e'), Closed(None)]


def test_close_of_either_side() -> None:
    assert opened().receive(b'{"type":7}\x1e{"type":1}\x1e', 1.0) == [Closed(None)]
    connection = opened()
    assert connection.close("bye", allow_reconnect=True) == [
        Send(b'{"type":7,"error":"bye","allowReconnect":true}\x1e'),
        Closed("bye"),
    ]
    assert connection.close("again") == []


def test_silence_of_a_client_that_is_not_read_means_nothing() -> None:
    connection = opened(0.0)
    connection.pause_reading()
    for beat in range(1, 10):
        assert connection.deadline == 15.0 * beat
        assert connection.check(15.0 * beat) == [Send(b'{"type":6}\x1e')]
    connection.resume_reading(140.0)
    assert connection.check(150.0) == [Send(b'{"type":6}\x1e')]
    assert connection.check(169.0) == [Send(b'{"type":6}\x1e')]
    assert connection.check(170.0) == [Send(b'{"type":7,"allowReconnect":true}\x1e'), Closed(None)]
