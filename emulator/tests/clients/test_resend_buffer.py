import math

import pytest
from signalr_emulator.clients.connection import Connection, State
from signalr_emulator.clients.connection_events import Closed, Opened, Send
from signalr_emulator.clients.resend_buffer import ResendBuffer
from signalr_emulator.clients.transport import Traits
from signalr_emulator.documents.verbatim import JsonText
from signalr_emulator.errors import ProtocolError
from signalr_emulator.protocols.messages import Invocation
from signalr_emulator.transports.timing import Timing

HANDSHAKE = b'{"protocol":"json","version":2}\x1e'
CALL = b'{"type":1,"target":"a","arguments":[]}\x1e'


def test_sends_again_what_is_not_acked() -> None:
    buffer = ResendBuffer(100)
    assert all(buffer.sent(record) for record in (b"a", b"b", b"c"))
    buffer.acked(2)
    assert buffer.resume() == (3, [b"c"])
    buffer.acked(3)
    assert buffer.resume() == (4, [])
    with pytest.raises(ProtocolError):
        buffer.acked(4)


def test_is_bounded_and_acks_make_room() -> None:
    buffer = ResendBuffer(3)
    assert buffer.sent(b"abc")
    buffer.acked(1)
    assert buffer.sent(b"abc")
    assert not buffer.sent(b"d")


def test_repeated_messages_are_not_new() -> None:
    buffer = ResendBuffer(100)
    assert [buffer.is_new(0.0) for _ in range(3)] == [True] * 3
    assert buffer.ack_at == 1.0
    assert buffer.ack() == 3
    assert buffer.ack_at == math.inf
    buffer.lost()
    assert not buffer.is_new(1.0)
    buffer.sequence(2)
    assert [buffer.is_new(2.0) for _ in range(3)] == [False, False, True]
    assert buffer.ack() == 4
    with pytest.raises(ProtocolError):
        buffer.sequence(6)


def stateful(**traits: int) -> Connection:
    connection = Connection(0.0, Timing(), Traits(is_stateful=True, **traits))  # type: ignore[arg-type]  # one name only
    assert connection.receive(HANDSHAKE, 0.0) == [Send(b"{}\x1e"), Opened()]
    assert connection.is_stateful
    return connection


def test_connection_acks_and_resumes() -> None:
    connection = stateful()
    connection.receive(CALL + CALL[:5], 1.0)
    assert connection.deadline == 2.0
    assert connection.check(2.0) == [Send(b'{"type":8,"sequenceId":1}\x1e')]
    assert connection.send(Invocation("x", JsonText(b"[]"))) == [
        Send(b'{"type":1,"target":"x","arguments":[]}\x1e')
    ]
    assert connection.lose(3.0) == []
    assert connection.lose(3.0) == []
    assert connection.state is State.SUSPENDED
    assert connection.relay(b"y\x1e") == []
    assert connection.resume(4.0) == [
        Send(b'{"type":9,"sequenceId":1}\x1e'),
        Send(b'{"type":1,"target":"x","arguments":[]}\x1e'),
        Send(b"y\x1e"),
    ]
    again = connection.receive(b'{"type":9,"sequenceId":1}\x1e' + CALL + CALL, 5.0)
    assert len(again) == 1


def test_connection_that_does_not_come_back() -> None:
    connection = stateful()
    connection.lose(3.0)
    assert connection.deadline == 18.0
    assert connection.check(18.0) == [Closed("The client did not reconnect in time.")]


def test_client_that_does_not_ack_is_closed() -> None:
    connection = stateful(max_unacknowledged=10)
    assert connection.relay(b"x" * 10) == [Send(b"x" * 10)]
    assert connection.relay(b"x")[-1] == Closed("The client leaves too much unacknowledged.")


def test_version_2_alone_makes_nothing_stateful() -> None:
    connection = Connection(0.0, Timing())
    connection.receive(HANDSHAKE, 0.0)
    assert not connection.is_stateful
    assert connection.lose(1.0) == [Closed("The transport was lost.")]
