from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signalr_emulator.documents.json_text import encode
from signalr_emulator.documents.verbatim import JsonText
from signalr_emulator.errors import ProtocolError
from signalr_emulator.protocols.json import (
    SEPARATOR,
    HandshakeRequest,
    RecordReader,
    encode_handshake,
    encode_message,
    open_envelope,
    parse_handshake,
    parse_message,
    with_invocation_id,
)
from signalr_emulator.protocols.messages import (
    MAX_RECORD_BYTES,
    Ack,
    CancelInvocation,
    Close,
    Completion,
    Envelope,
    Invocation,
    Message,
    MessageType,
    Ping,
    Sequence,
    StreamInvocation,
    StreamItem,
)

from emulator.tests.protocols.received import received

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
VALUES = JSON.map(encode).map(JsonText)
ARGUMENTS = st.lists(JSON, max_size=3).map(encode).map(JsonText)
TEXT = st.text(max_size=8)
MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(Invocation, TEXT, ARGUMENTS, st.none() | TEXT),
    st.builds(StreamInvocation, TEXT, TEXT, ARGUMENTS),
    st.builds(StreamItem, TEXT, VALUES),
    st.builds(Completion, TEXT),
    st.builds(Completion, TEXT, VALUES),
    st.builds(lambda i, e: Completion(i, error=e), TEXT, TEXT),
    st.builds(CancelInvocation, TEXT),
    st.just(Ping()),
    st.builds(Close, st.none() | TEXT, st.booleans()),
    st.builds(Ack, st.integers(0, 2**63)),
    st.builds(Sequence, st.integers(0, 2**63)),
)

RECORDS: list[tuple[Message, bytes]] = [
    (
        Invocation("Send", JsonText('[42,"é"]'.encode()), "123"),
        '{"type":1,"invocationId":"123","target":"Send","arguments":[42,"é"]}'.encode(),
    ),
    (Invocation("Send", JsonText(b"[]")), b'{"type":1,"target":"Send","arguments":[]}'),
    (
        StreamInvocation("1", "Count", JsonText(b"[5]")),
        b'{"type":4,"invocationId":"1","target":"Count","arguments":[5]}',
    ),
    (StreamItem("1", JsonText(b"null")), b'{"type":2,"invocationId":"1","item":null}'),
    (Completion("1"), b'{"type":3,"invocationId":"1"}'),
    (Completion("1", JsonText(b"null")), b'{"type":3,"invocationId":"1","result":null}'),
    (Completion("1", error="no"), b'{"type":3,"invocationId":"1","error":"no"}'),
    (CancelInvocation("1"), b'{"type":5,"invocationId":"1"}'),
    (Ping(), b'{"type":6}'),
    (Close(), b'{"type":7}'),
    (Close("bye", allow_reconnect=True), b'{"type":7,"error":"bye","allowReconnect":true}'),
    (Ack(36), b'{"type":8,"sequenceId":36}'),
    (Sequence(2), b'{"type":9,"sequenceId":2}'),
]


@pytest.mark.parametrize(("message", "record"), RECORDS)
def test_bytes_of_every_message(message: Message, record: bytes) -> None:
    assert encode_message(message) == record + SEPARATOR
    assert parse_message(record) == received(message)


@pytest.mark.parametrize(
    "value",
    [
        "12.50",
        "1234567890123456.789",
        "0.1234567890123456789",
        "-0.0",
        "1E400",
        "9" * 5000,
        r'"\ud800\u00e9\/"',
        '{"a":1, "a":2,\n\t"b":[ ]}',
    ],
)
def test_values_keep_their_text(value: str) -> None:
    """A result is passed on as it is written; who reads a call or an item does so in its record."""
    for written in (
        f'{{"type":1,"invocationId":"1","target":"t","arguments":[{value}]}}',
        f'{{"type":2,"invocationId":"1","item":{value}}}',
    ):
        assert parse_message(written.encode()) is not None
    written = f'{{"type":3,"invocationId":"1","result":{value}}}'
    message = parse_message(written.encode())
    assert isinstance(message, Completion)
    assert encode_message(message) == written.encode() + SEPARATOR


def test_bytes_of_the_handshake() -> None:
    assert encode_handshake(None) == b"{}\x1e"
    assert encode_handshake("no") == b'{"error":"no"}\x1e'
    assert parse_handshake(b'{"protocol":"json","version":1}') == HandshakeRequest("json", 1)


@pytest.mark.parametrize(
    "record",
    [
        b"{}",
        b"[]",
        b'{"protocol":"json"}',
        b'{"protocol":1,"version":1}',
        b'{"protocol":"json","version":"1"}',
        b'{"protocol":"json","version":true}',
    ],
)
def test_what_is_no_handshake(record: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse_handshake(record)


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"6",
        b"{}",
        b'{"type":"1"}',
        b'{"type":true}',
        b'{"type":1,"target":"a"}',
        b'{"type":1,"arguments":[]}',
        b'{"type":1,"target":1,"arguments":[]}',
        b'{"type":1,"target":"a","arguments":{}}',
        b'{"type":1,"target":"a","arguments":[],"invocationId":1}',
        b'{"type":2,"invocationId":"1"}',
        b'{"type":3,"invocationId":"1","result":1,"error":"no"}',
        b'{"type":4,"target":"a","arguments":[]}',
        b'{"type":5}',
        b'{"type":7,"error":1}',
        b'{"type":1e999}',
        b'{"type":9,"sequenceId":-1}',
        b'{"type":9,"sequenceId":1.0}',
    ],
)
def test_what_is_no_message(record: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse_message(record)


@pytest.mark.parametrize("record", [b'{"type":10}', b'{"type":99}'])
def test_unknown_types_are_ignored(record: bytes) -> None:
    assert parse_message(record) is None


@settings(deadline=None)
@given(st.lists(MESSAGES, max_size=5), st.data())
def test_split_and_joined_records_round_trip(messages: list[Message], data: st.DataObject) -> None:
    stream = b"".join(map(encode_message, messages))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader = RecordReader(MAX_RECORD_BYTES)
    records = [
        record
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for record in reader.feed(stream[start:end])
    ]
    assert [parse_message(record) for record in records] == [received(each) for each in messages]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=6))
def test_arbitrary_bytes_raise_only_the_protocol_error(chunks: list[bytes]) -> None:
    reader = RecordReader(MAX_RECORD_BYTES)
    for chunk in chunks:
        for record in reader.feed(chunk):
            for parse in (parse_handshake, parse_message):
                try:
                    parse(record)
                except ProtocolError:
                    continue


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["type", "target", "arguments", "invocationId"]), JSON))
def test_arbitrary_fields_raise_only_the_protocol_error(fields: dict[str, Any]) -> None:
    try:
        parse_message(encode(fields))
    except ProtocolError:
        return


def test_deep_nesting_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError):
        parse_message(b'{"type":1,"target":"t","arguments":' + b"[" * 100_000 + b"]" * 100_000)


def test_record_has_a_limit() -> None:
    reader = RecordReader(9)
    assert list(reader.feed(b"x" * 9 + SEPARATOR)) == [b"x" * 9]
    assert list(reader.feed(b"x" * 9)) == []
    with pytest.raises(ProtocolError):
        list(reader.feed(b"x"))
    with pytest.raises(ProtocolError):
        list(RecordReader(9).feed(b"x" * 10 + SEPARATOR))


@pytest.mark.parametrize(
    ("framed", "envelope"),
    [
        (
            b'{"type":1,"target":"t","arguments":[NUMBER]}\x1e',
            Envelope(MessageType.INVOCATION, None, "t"),
        ),
        (
            b' {"arguments" : [ ] , "invocationId":"7","target":"\\u0074","type":1}\n\x1e',
            Envelope(MessageType.INVOCATION, "7", "t"),
        ),
        (
            b'{"type":2,"invocationId":"s","item":NUMBER}\x1e',
            Envelope(MessageType.STREAM_ITEM, "s", None),
        ),
    ],
)
def test_envelopes(framed: bytes, envelope: Envelope) -> None:
    assert open_envelope(framed.replace(b"NUMBER", b"1e400")) == envelope


@pytest.mark.parametrize(
    "framed",
    [
        b"",
        b"\x1e",
        b'{"type":1,"target":"t","arguments":[]}',
        b'{"type":1,"target":"t","arguments":[]}\x1e\x1e',
        b'{"type":6}\x1e{"type":1,"target":"t","arguments":[]}\x1e',
        b'{"type":1,"target":"t","arguments":{}}\x1e',
        b'{"type":1,"target":"t","arguments":[}\x1e',
        b'{"type":1,"target":"t","arguments":["\xff"]}\x1e',
        b'{"type":1,"target":null,"arguments":[]}\x1e',
        b'{"type":2,"invocationId":"s"}\x1e',
        b'{"type":2,"item":1}\x1e',
        b'{"type":3,"invocationId":"s"}\x1e',
        b'{"type":4,"invocationId":"s","target":"t","arguments":[]}\x1e',
    ],
)
def test_what_has_no_envelope(framed: bytes) -> None:
    with pytest.raises(ProtocolError):
        open_envelope(framed)


def test_invocation_id_of_a_record_that_is_written() -> None:
    written = (
        b'{ "type":1, "invocationId":null, "headers":{"a":"b"},"target":"t","arguments":[ 12.50 ]}'
    )
    identified = with_invocation_id(written + SEPARATOR, "s1")
    assert identified == (
        b'{"type":1,"invocationId":"s1","headers":{"a":"b"},"target":"t","arguments":[ 12.50 ]}\x1e'
    )
    assert open_envelope(identified) == Envelope(MessageType.INVOCATION, "s1", "t")
