import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import msgpack
from signalr_emulator.documents.json_text import encode
from signalr_emulator.documents.verbatim import JsonText
from signalr_emulator.errors import ProtocolError
from signalr_emulator.protocols.messagepack import (
    FrameReader,
    encode_messagepack,
    open_envelope,
    parse_messagepack,
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
    ReceivedInvocation,
    ReceivedStreamItem,
    Sequence,
    StreamInvocation,
    StreamItem,
)

from emulator.tests.protocols.received import received

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
TEXTS = VALUES.map(encode).map(JsonText)
ARGUMENTS = st.lists(VALUES, max_size=3).map(encode).map(JsonText)
MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(Invocation, TEXT, ARGUMENTS, st.none() | TEXT),
    st.builds(StreamInvocation, TEXT, TEXT, ARGUMENTS),
    st.builds(StreamItem, TEXT, TEXTS),
    st.builds(Completion, TEXT),
    st.builds(Completion, TEXT, TEXTS),
    st.builds(lambda i, e: Completion(i, error=e), TEXT, TEXT),
    st.builds(CancelInvocation, TEXT),
    st.just(Ping()),
    st.builds(Close, st.none() | TEXT, st.booleans()),
    st.builds(Ack, st.integers(0, 2**63)),
    st.builds(Sequence, st.integers(0, 2**63)),
)


@pytest.mark.parametrize(
    ("message", "body"),
    [
        (Invocation("method", JsonText(b"[42]"), "xyz"), "960180a378797aa66d6574686f64912a90"),
        (Invocation("method", JsonText(b"[42]")), "960180c0a66d6574686f64912a90"),
        (
            StreamInvocation("xyz", "method", JsonText(b"[42]")),
            "960480a378797aa66d6574686f64912a90",
        ),
        (StreamItem("xyz", JsonText(b"42")), "940280a378797a2a"),
        (Completion("xyz", error="no"), "950380a378797a01a26e6f"),
        (Completion("xyz"), "940380a378797a02"),
        (Completion("xyz", JsonText(b"42")), "950380a378797a032a"),
        (CancelInvocation("xyz"), "930580a378797a"),
        (Ping(), "9106"),
        (Close("xyz"), "9307a378797ac2"),
        (Close("xyz", allow_reconnect=True), "9307a378797ac3"),
        (Ack(36), "920824"),
        (Ack(204), "9208cccc"),
        (Sequence(13), "92090d"),
    ],
)
def test_bytes_of_every_message(message: Message, body: str) -> None:
    expected = bytes.fromhex(body)
    assert encode_messagepack(message) == bytes([len(expected)]) + expected
    assert parse_messagepack(expected) == received(message)


def test_short_arrays_and_foreign_integers() -> None:
    assert parse_messagepack(bytes.fromhex("9207a378797a")) == Close("xyz")
    assert parse_messagepack(bytes.fromhex("950180c0a161 9101")) == ReceivedInvocation("a")
    # More elements than any message has, or is made into values at once.
    long = bytes.fromhex("dc0100 0180c0a161") + bytes(252)
    assert parse_messagepack(long) == ReceivedInvocation("a")
    # 36 in a byte more than it needs, as the specification writes it.
    assert parse_messagepack(bytes.fromhex("9208cc24")) == Ack(36)


@pytest.mark.parametrize(("length", "prefix"), [(127, "7f"), (128, "8001"), (16384, "808001")])
def test_length(length: int, prefix: str) -> None:
    empty = len(encode_messagepack(StreamItem("", JsonText(b'""')))) - 1
    headers = 2 if length > 255 else 1  # of a longer string
    message = StreamItem("", JsonText(encode("x" * (length - empty - headers))))
    framed = encode_messagepack(message)
    assert framed.startswith(bytes.fromhex(prefix))
    assert [len(record) for record in FrameReader(MAX_RECORD_BYTES).feed(framed)] == [length]


@pytest.mark.parametrize(
    "body",
    [
        *("", "c1", "00", "90", "91a161", "91c3", "91cb3ff0000000000000", "940180c0a161"),
        *("9107", "920701", "9208ff"),
        *("930280a131", "930580c0", "930501", "940380a131c0", "940380a13103", "950480c0a16190"),
        *("95", "9501", "950180", "950180c0", "950180c001", "95018001a16190"),
        *("ddffffffff0180c0a161", "dfffffffff"),
    ],
)
def test_what_is_no_message(body: str) -> None:
    with pytest.raises(ProtocolError):
        parse_messagepack(bytes.fromhex(body))


def test_unknown_types_are_ignored() -> None:
    assert parse_messagepack(bytes.fromhex("9163")) is None


def test_lengths_that_are_refused() -> None:
    for prefix in ("ffffffffff01", "ffffffff07"):
        with pytest.raises(ProtocolError):
            list(FrameReader(MAX_RECORD_BYTES).feed(bytes.fromhex(prefix)))
    assert list(FrameReader(128).feed(b"\x80\x01" + bytes(128))) == [bytes(128)]
    with pytest.raises(ProtocolError):
        list(FrameReader(128).feed(b"\x81\x01"))


def with_length(body: bytes) -> bytes:
    return bytes([len(body)]) + body


def framed(*elements: object) -> bytes:
    return with_length(msgpack.encode(elements))


@pytest.mark.parametrize(
    ("message", "envelope"),
    [
        (framed(1, {}, None, "t", []), Envelope(MessageType.INVOCATION, None, "t")),
        (
            framed(1, {"a": "b"}, "7", "t", [b"\xc1"], ["1"]),
            Envelope(MessageType.INVOCATION, "7", "t"),
        ),
        # The last moment of .NET, which Python's calendar does not have.
        (
            with_length(bytes.fromhex("96 01 80 c0 a174 91 c70cff3b9ac99c0000003afff4417f 90")),
            Envelope(MessageType.INVOCATION, None, "t"),
        ),
        (
            framed(2, {}, "s", msgpack.Ext(99, b"x")),
            Envelope(MessageType.STREAM_ITEM, "s", None),
        ),
        # A longer prefix than need be, and an array with its length in two bytes.
        (
            b"\x89\x00" + bytes.fromhex("dc0005 01 80 c0 a174 90"),
            Envelope(MessageType.INVOCATION, None, "t"),
        ),
    ],
)
def test_envelopes(message: bytes, envelope: Envelope) -> None:
    assert open_envelope(message) == envelope


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x00",
        b"\x80" * 9,
        bytes.fromhex("02 91 06"),
        framed(1, {}, None, "t", []) + b"\x90",
        framed(1, {}, None, "t", [])[:-1],
        framed(1, {}, None, "t", []) * 2,
        framed(1, {}, None, "t"),
        framed(1, {}, None, "t", {}),
        framed(1, {}, None, 1, []),
        framed(1, {}, 1, "t", []),
        framed(1, None, None, "t", []),
        framed(1, {1: "b"}, None, "t", []),
        framed(1.0, {}, None, "t", []),
        framed(True, {}, None, "t", []),
        framed(2, {}, "s"),
        framed(2, {}, None, 1),
        framed(3, {}, "s", 3, 1),
        with_length(bytes.fromhex("95 01 80 c0 a174 ddffffffff90")),
        with_length(bytes.fromhex("95 01 80 c0 a1ff 90")),
        with_length(bytes.fromhex("95 01 81a161a1ff c0 a174 90")),
    ],
    ids=lambda message: message[:12].hex(),
)
def test_what_has_no_envelope(message: bytes) -> None:
    with pytest.raises(ProtocolError):
        open_envelope(message)


ODD_VALUES = {
    "text that is not UTF-8": b"\xa2\xff\xfe",
    "date of no calendar": b"\xc7\x0c\xff" + b"\xff" * 12,
    "timestamp of three bytes": b"\xc7\x03\xff\x00\x00\x00",
    "array as a key": b"\x81\x91\x01\x02",
    "unknown extension": b"\xd4\x63\x00",
    "byte that means nothing": b"\xc1",
    "deep": b"\x91" * 100_000 + b"\x00",
}

KNOWN = {
    ODD_VALUES["text that is not UTF-8"]: '"\ufffd\ufffd"'.encode(),
    ODD_VALUES["unknown extension"]: b'"AA=="',
}
"""What JSON has for some of them."""


@pytest.mark.parametrize("value", ODD_VALUES.values(), ids=ODD_VALUES.keys())
def test_arguments_and_items_may_be_anything(value: bytes) -> None:
    call = b"\x96\x01\x80\xa11\xa1t\x91" + value + b"\x90"
    assert parse_messagepack(call) == ReceivedInvocation("t", "1")
    assert parse_messagepack(b"\x94\x02\x80\xa11" + value) == ReceivedStreamItem("1")


@pytest.mark.parametrize("value", ODD_VALUES.values(), ids=ODD_VALUES.keys())
def test_a_result_that_json_cannot_hold_is_an_error_of_this_completion(value: bytes) -> None:
    completion = parse_messagepack(b"\x95\x03\x80\xa11\x03" + value)
    assert isinstance(completion, Completion)
    assert completion.result == KNOWN.get(value)
    assert (completion.error is None) == (value in KNOWN)


def test_envelope_of_a_message_that_is_nested_deep() -> None:
    """As many levels as can be looked through are passed on, and more are refused."""
    for depth, is_read in ((400, True), (1_000_000, False)):
        body = bytes.fromhex("95 01 80 c0 a174") + b"\x91" * depth + b"\x00"
        length = len(body)
        prefix = bytes((length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80, length >> 14))
        if is_read:
            assert open_envelope(prefix + body) == Envelope(MessageType.INVOCATION, None, "t")
        else:
            with pytest.raises(ProtocolError):
                open_envelope(prefix + body)


def test_invocation_id_of_a_message_that_is_written() -> None:
    """The arguments stay as they are, whatever they hold and however it is written."""
    arguments = bytes.fromhex("93 c70cff3b9ac99c0000003afff4417f ca3f000000 cc01")
    message = with_length(bytes.fromhex("96 01 80 c0 a174") + arguments + b"\x90")
    identified = with_invocation_id(message, "s1")
    expected = bytes.fromhex("96 01 80 a27331 a174") + arguments + b"\x90"
    assert identified == with_length(expected)
    assert open_envelope(identified) == Envelope(MessageType.INVOCATION, "s1", "t")


@settings(deadline=None)
@given(st.lists(MESSAGES, max_size=5), st.data())
def test_split_and_joined_frames_round_trip(messages: list[Message], data: st.DataObject) -> None:
    stream = b"".join(map(encode_messagepack, messages))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader = FrameReader(MAX_RECORD_BYTES)
    records = [
        record
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for record in reader.feed(stream[start:end])
    ]
    assert [parse_messagepack(record) for record in records] == list(map(received, messages))


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=6))
def test_arbitrary_bytes_raise_only_the_protocol_error(chunks: list[bytes]) -> None:
    reader = FrameReader(MAX_RECORD_BYTES)
    for chunk in chunks:
        try:
            for record in reader.feed(chunk):
                parse_messagepack(record)
        except ProtocolError:
            return
