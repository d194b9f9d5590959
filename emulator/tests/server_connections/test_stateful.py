"""Stateful reconnect between client and service, of which an app server sees nothing."""

import json
import math

import pytest
from signalr_emulator.errors import ProtocolError
from signalr_emulator.protocols.supported import JSON
from signalr_emulator.server_connections.stateful import StatefulReconnect

PING = b'{"type":6}\x1e'


def call(number: int) -> bytes:
    return b'{"type":1,"target":"say","arguments":[%d]}\x1e' % number


def written(**fields: object) -> bytes:
    return json.dumps(fields).encode() + b"\x1e"


def reconnect(max_unacknowledged: int = 1024) -> StatefulReconnect:
    return StatefulReconnect(JSON, 1024, max_unacknowledged)


def sequence(record: bytes) -> int:
    message = json.loads(record[:-1])
    assert message["type"] == 9
    return int(message["sequenceId"])


def test_the_app_server_gets_each_message_once_and_none_of_the_service() -> None:
    stateful = reconnect()
    first = call(1) + written(type=8, sequenceId=0) + PING + call(2)
    assert stateful.received(first, 0.0) == call(1) + PING + call(2)
    stateful.lost()
    again = written(type=9, sequenceId=2) + call(2) + call(3)
    assert stateful.received(again, 1.0) == call(3)


def test_what_a_lost_transport_has_brought_of_a_message_is_forgotten() -> None:
    stateful = reconnect()
    assert stateful.received(call(1)[:10], 0.0) == b""
    stateful.lost()
    assert stateful.received(written(type=9, sequenceId=1) + call(1), 0.0) == call(1)


def test_the_client_gets_again_what_it_has_not_acknowledged() -> None:
    stateful = reconnect()
    # Any cut, as an app server may write it; pings do not count.
    assert stateful.sent(call(1) + call(2)[:9])
    assert stateful.sent(call(2)[9:] + PING)
    assert stateful.sent(written(type=3, invocationId="1", result=1))
    stateful.received(written(type=8, sequenceId=1), 0.0)
    stateful.lost()
    found, *records = stateful.resume()
    assert sequence(found) == 2
    assert records == [call(2), written(type=3, invocationId="1", result=1)]


def test_an_ack_is_due_once_for_what_has_come() -> None:
    stateful = reconnect()
    assert stateful.ack_at == math.inf
    stateful.received(call(1) + call(2), 10.0)
    assert 10.0 < stateful.ack_at < math.inf
    assert json.loads(stateful.ack()[:-1]) == {"type": 8, "sequenceId": 2}
    assert stateful.ack_at == math.inf


def test_too_much_without_an_ack_is_told() -> None:
    stateful = reconnect(max_unacknowledged=len(call(1)))
    assert stateful.sent(call(1))
    assert not stateful.sent(call(2))


def test_an_ack_of_what_was_never_sent_is_refused() -> None:
    with pytest.raises(ProtocolError):
        reconnect().received(written(type=8, sequenceId=1), 0.0)
