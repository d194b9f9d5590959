"""What is written is fit to be read, and nothing that comes breaks the reader."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidArgumentError, UnexpectedResponseError
from shared.service_protocol.codec import Frames, read, write
from shared.service_protocol.fields import FOR_EVER, FlowConnection, FlowOperation, Timestamp
from shared.service_protocol.messages import (
    AccessKeyRequest,
    ConnectionData,
    ConnectionFlowControl,
    Message,
    OpenConnection,
)
from shared.service_protocol.requests import GroupMemberQuery, RefreshAuth, UserJoinGroupWithAck
from shared.service_protocol.sends import MultiUserData, UserData
from tests.shared.service_protocol.vectors import lines

SEEDS = [bytes.fromhex(line["hex"]) for line in lines("vector")]


def body_of(message: Message) -> bytes:
    (body,) = Frames().feed(write(message))
    return body


def test_for_ever_is_the_last_moment_of_dotnet() -> None:
    refresh = RefreshAuth(connection_token="t", claims=(), expires=FOR_EVER, ack_id=7)
    body = body_of(refresh)
    assert body.hex() == "9629a17480c70cff3b9ac99c0000003afff4417f0780"
    assert read(body) == refresh


@given(
    st.builds(
        Timestamp, st.integers(-62_135_596_800, FOR_EVER.seconds), st.integers(0, 999_999_999)
    )
)
def test_every_time_comes_back(time: Timestamp) -> None:
    refresh = RefreshAuth(connection_token="t", claims=(), expires=time)
    assert read(body_of(refresh)) == refresh


def test_claims_of_one_type_all_come_back() -> None:
    claims = (("role", "a"), ("role", "b")) * 20_000
    refresh = RefreshAuth(connection_token="t", claims=claims, expires=FOR_EVER)
    assert read(body_of(refresh)) == refresh


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (UserData(user_id="\ud800", payloads=()), "user_id cannot be written: it contains half"),
        (MultiUserData(user_ids=("u", "\ud800"), payloads=()), "user_ids cannot be written: [1]"),
        (MultiUserData(user_ids="alice", payloads=()), "user_ids must be a list of texts"),
        (GroupMemberQuery(group="g", top=1 << 31), "top must be a whole number of 32 bits"),
        (
            UserJoinGroupWithAck(user_id="u", group="g", ttl=-(1 << 31) - 1),
            "ttl must be a whole number of 32 bits",
        ),
        (
            RefreshAuth(connection_token="t", claims=(), expires=Timestamp(1 << 40)),
            "expires must be a moment of the years 1 to 9999",
        ),
        (
            RefreshAuth(connection_token="t", claims=(), expires=Timestamp(0, 1_000_000_000)),
            "expires must be a moment",
        ),
        (UserData(user_id="u", payloads=(), tracing_id=-1), "tracing_id must be a whole number"),
        (UserData(user_id="u", payloads=(), tracing_id=1 << 64), "tracing_id must be a whole"),
        (
            UserData(user_id="u", payloads=(), subscriber_filter="\ud800"),
            "subscriber_filter cannot be written",
        ),
    ],
)
def test_what_no_peer_could_read_is_refused_by_name(message: Message, problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=re.escape(problem)):
        write(message)


def test_a_flow_control_that_there_is_not_is_refused() -> None:
    unknown: FlowOperation = 9  # type: ignore[assignment]  # what no type check sees
    control = ConnectionFlowControl(
        connection_id="c", connection_type=FlowConnection.CLIENT, operation=unknown
    )
    with pytest.raises(InvalidArgumentError, match="operation"):
        write(control)


def test_no_secret_and_nothing_of_users_is_shown() -> None:
    shown = repr(
        [
            AccessKeyRequest(token="secret"),
            RefreshAuth(connection_token="secret", claims=(("c", "secret"),), expires=FOR_EVER),
            UserData(user_id="alice", payloads=(("json", b"secret"),)),
            ConnectionData(connection_id="c1", payload=b"secret"),
            OpenConnection(
                connection_id="c2",
                claims=(("c", "secret"),),
                headers=(("Cookie", ("secret",)),),
                query="access_token=secret",
            ),
        ]
    )
    assert "secret" not in shown
    assert "UserData(user_id='alice', tracing_id=None" in shown


def test_an_error_names_message_and_field_and_no_value() -> None:
    with pytest.raises(UnexpectedResponseError) as caught:
        read(msgspec.msgpack.encode([28, ["secret"], None, {}]))
    assert "AccessKeyRequest: token: Expected" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"\x91" * 100_000,
        b"\x94\x08\xa1u" + b"\x81\xa1j" * 100_000,
        b"\xdd\xff\xff\xff\xff\x08",
        b"\x94\x08\xa1u\xdf\xff\xff\xff\xff\x80",
        b"\x94\x08\xa1u\x80\xdf\xff\xff\xff\xff",
        b"\x94\x08\xdb\xff\xff\xff\xffu\x80\x80",
        b"\xc1",
        b"",
    ],
    ids=["arrays", "maps", "array", "payloads", "extensions", "text", "reserved", "empty"],
)
def test_hostile_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(UnexpectedResponseError):
        read(body)


@given(st.binary(max_size=200))
def test_random_bytes_are_a_message_or_refused(body: bytes) -> None:
    try:
        read(body)
    except UnexpectedResponseError:
        return


@given(st.sampled_from(SEEDS), st.data())
def test_a_spoilt_message_is_a_message_or_refused(body: bytes, data: st.DataObject) -> None:
    spoilt = bytearray(body)
    for _ in range(data.draw(st.integers(1, 4))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read(bytes(spoilt))
    except UnexpectedResponseError:
        return
    assert found is None or isinstance(found, Message)
