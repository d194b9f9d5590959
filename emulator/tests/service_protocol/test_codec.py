"""What is written is read back, what comes is cut as it was sent, and what is wrong is named."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signalr_emulator.errors import ProtocolError, ServiceMessageError
from signalr_emulator.service_protocol.codec import MAX_MESSAGE_BYTES, message_reader, read, write
from signalr_emulator.service_protocol.fields import FOR_EVER, FlowConnection, Timestamp
from signalr_emulator.service_protocol.messages import (
    AccessKeyResponse,
    Ack,
    ConnectionData,
    ConnectionFlowControl,
    EventKind,
    OpenConnection,
    Ping,
    ServiceEvent,
)
from signalr_emulator.service_protocol.payloads import Member, write_claims, write_group_page
from signalr_emulator.service_protocol.requests import RefreshAuth
from signalr_emulator.service_protocol.sends import JoinGroup, MultiUserData, UserData
from signalr_emulator.service_protocol.table import Message

from emulator.tests.service_protocol.vectors import lines, message

WRITABLE = [line for line in lines("vector") if "error" not in line.get("reads", {})]
STREAM = [write(message(line)) for line in WRITABLE]
INT32 = st.integers(-(1 << 31), (1 << 31) - 1)
TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=20).map(tuple)
PAYLOADS = st.lists(st.tuples(TEXT, st.binary(max_size=300)), max_size=4).map(tuple)
TRACING_ID = st.none() | st.integers(0, (1 << 64) - 1)
TIMES = st.builds(
    Timestamp, st.integers(-62_135_596_800, FOR_EVER.seconds), st.integers(0, 999_999_999)
)
MESSAGES = st.one_of(
    st.builds(Ping, st.lists(st.none() | TEXT, max_size=20).map(tuple)),
    st.builds(
        OpenConnection, TEXT, PAIRS, st.just((("Host", ("h", "i")),)), st.none() | TEXT,
        TRACING_ID, st.none() | TEXT,
    ),
    st.builds(ConnectionData, TEXT, st.binary(max_size=300), TRACING_ID, INT32, st.booleans()),
    st.builds(UserData, TEXT, PAYLOADS, TRACING_ID, st.none() | TEXT),
    st.builds(MultiUserData, st.lists(TEXT, max_size=20).map(tuple), PAYLOADS),
    st.builds(Ack, INT32, INT32, TEXT, st.binary(max_size=300)),
    st.builds(RefreshAuth, TEXT, PAIRS, TIMES, INT32),
)  # fmt: skip


def body_of(written: bytes) -> bytes:
    (body,) = message_reader().feed(written)
    return body


@given(MESSAGES)
def test_what_is_written_is_read_back(meant: Message) -> None:
    assert read(body_of(write(meant))) == meant


@pytest.mark.parametrize("written", STREAM, ids=range(len(STREAM)))
def test_what_stands_behind_a_message_does_not_count(written: bytes) -> None:
    body = body_of(written)
    assert read(body + b"\xc1") == read(body)


@given(
    st.lists(st.sampled_from(STREAM), max_size=8),
    st.lists(st.integers(min_value=0, max_value=3000)),
)
def test_any_cut_gives_the_same_messages(written: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(written)
    reader = message_reader()
    found: list[Message | None] = []
    for start, end in itertools.pairwise([0, *sorted(cuts), len(stream)]):
        found += map(read, reader.feed(stream[start:end]))
    assert found == [read(body_of(each)) for each in written]


def test_for_ever_is_the_last_moment_of_dotnet() -> None:
    refresh = RefreshAuth("t", (), FOR_EVER, 7)
    body = body_of(write(refresh))
    assert body.hex() == "9629a17480c70cff3b9ac99c0000003afff4417f0780"
    assert read(body) == refresh


def test_a_member_of_an_enumeration_is_written_as_its_number() -> None:
    assert write(ServiceEvent(0, "i", EventKind.BUFFER_FULL)) == write(ServiceEvent(0, "i", 3))


def test_numbers_of_a_flow_control_have_five_bytes() -> None:
    pause = ConnectionFlowControl("c", FlowConnection.CLIENT, 1)  # type: ignore[arg-type]  # as read
    assert write(pause).hex() == "0f9527a163d200000001d20000000180"


def test_what_is_whole_comes_before_a_length_that_is_none() -> None:
    found = message_reader().feed(write(Ping()) + b"\x80\x80\x80\x80\x80\x01")
    assert next(found) == b"\x91\x03"
    with pytest.raises(ProtocolError, match="more than 5 bytes"):
        next(found)


@pytest.mark.parametrize("prefix", ["8080808008", "ffffffff7f", "ffffffff07"])
def test_a_length_that_nobody_waits_for_is_the_end(prefix: str) -> None:
    with pytest.raises(ProtocolError, match=f"longer than {MAX_MESSAGE_BYTES} bytes"):
        list(message_reader().feed(bytes.fromhex(prefix)))


def test_the_longest_message_is_the_readers_choice() -> None:
    assert list(message_reader(2).feed(b"\x02\x91\x03")) == [b"\x91\x03"]
    with pytest.raises(ProtocolError, match="longer than 1 bytes"):
        list(message_reader(1).feed(b"\x02\x91\x03"))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("", "Message: type"),
        ("92", "Message: type"),
        ("80", "Message: type must stand first in an array"),
        ("91c3", "Message: type must be a whole number of 32 bits"),
        ("ddffffffff06", "Message: type must stand first in an array"),
        ("940ba163a167dfffffffff", "JoinGroup: extensions must be whole"),
        ("9306a16301", "ConnectionData: payload must be bytes"),
        ("9206a163", "ConnectionData: items must be 3 or more, and are 2"),
        ("940ba163c080", "JoinGroup: group must be a text"),
        ("940ba163a167c0", "JoinGroup: extensions must be a map"),
        ("940ba163a167816380", "JoinGroup: extensions must not have an array or a map"),
        ("940ba163a16781634d", None),
        ("940ba163a1678103a46a736f6e", None),
        ("940ba163a1678202a178014d", "JoinGroup: extensions must be a whole number of 32 bits"),
        ("9514c301a080", "Ack: ack_id must be a whole number of 32 bits"),
        ("920391a161", "Ping: texts must be a text"),
        ("9629a17480d3000000000000000107 80", "RefreshAuth: expires must be a time"),
        ("9527a163010580", "ConnectionFlowControl: operation"),
    ],
)
def test_what_is_wrong_is_named_by_message_and_field(body: str, problem: str | None) -> None:
    if problem is None:
        assert read(bytes.fromhex(body)) == JoinGroup("c", "g")
        return
    with pytest.raises(ServiceMessageError, match=f"^{re.escape(problem)}"):
        read(bytes.fromhex(body))


def test_a_text_that_is_no_utf_8_is_read_as_dotnet_reads_it() -> None:
    assert read(bytes.fromhex("930ba263ffa167")) == JoinGroup("c\ufffd", "g")
    assert read(bytes.fromhex("940992a175a1ff8080")) == MultiUserData(("u", "\ufffd"), ())


def test_a_text_in_place_of_bytes_is_its_bytes() -> None:
    assert read(bytes.fromhex("9306a163a2ff00")) == ConnectionData("c", b"\xff\x00")


@pytest.mark.parametrize(
    ("meant", "problem"),
    [
        (UserData("\ud800", ()), "UserData: user_id must not have half a character"),
        (MultiUserData(("u", "\ud800"), ()), "MultiUserData: user_ids must not have half"),
        (MultiUserData("alice", ()), "MultiUserData: user_ids must be several texts"),
        (Ping(("\udc80",)), "Ping: texts must not have half a character"),
        (Ack(1 << 31, 1), "Ack: ack_id must be a whole number of 32 bits"),
        (UserData("u", (), -1), "UserData: tracing_id must be a whole number of 64 bits"),
        (UserData("u", (), 1 << 64), "UserData: tracing_id must be a whole number of 64 bits"),
        (RefreshAuth("t", (), Timestamp(1 << 40), 1), "RefreshAuth: expires must be a moment"),
        (RefreshAuth("t", (), Timestamp(0, 10**9), 1), "RefreshAuth: expires must be a moment"),
        (
            ConnectionFlowControl("c", FlowConnection.CLIENT, 9),  # type: ignore[arg-type]  # the point
            "ConnectionFlowControl: operation",
        ),
    ],
)
def test_what_no_peer_could_read_is_refused_by_name(meant: Message, problem: str) -> None:
    with pytest.raises(ServiceMessageError, match=f"^{re.escape(problem)}"):
        write(meant)


def test_payloads_of_acks_that_cannot_be_written_are_refused() -> None:
    with pytest.raises(ServiceMessageError, match="members"):
        write_group_page([Member("c", "\ud800")], None)
    with pytest.raises(ServiceMessageError, match="claims"):
        write_claims([("a", "\ud800")])


def test_nothing_secret_is_shown() -> None:
    shown = repr(
        [
            AccessKeyResponse("k", "S3CRET"),
            RefreshAuth("S3CRET", (("a", "S3CRET"),), FOR_EVER, 1),
            OpenConnection("c", (("a", "S3CRET"),), (("Cookie", ("S3CRET",)),), "S3CRET"),
            UserData("u", (("json", b"S3CRET"),)),
        ]
    )
    assert "S3CRET" not in shown
    assert "key_id='k'" in shown
