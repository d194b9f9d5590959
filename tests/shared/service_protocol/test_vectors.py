"""Messages are written and read as the package of the SDK for .NET does it."""

import hashlib
import re
from typing import Any

import msgspec
import pytest

from shared.bodies.hub_messages import framed
from shared.errors import InvalidArgumentError, UnexpectedResponseError
from shared.service_protocol.acks import read_claims, read_group_page
from shared.service_protocol.codec import Frames, read, write
from shared.service_protocol.messages import ConnectionData, Message, Ping
from shared.service_protocol.sends import MultiUserData
from tests.shared.service_protocol.vectors import MESSAGES, lines, message, of_message


def named(line: dict[str, Any]) -> str:
    return " ".join(str(line[key]) for key in ("message", "variant", "name") if key in line)


VECTORS = lines("vector")
REFUSED = [line for line in VECTORS if "error" in line.get("reads", {})]
SENT = [line for line in VECTORS if line not in REFUSED]
CUT = [
    pytest.param(line, int(count), id=f"{named(line)} of {count}")
    for line in lines("tolerance")
    for count in line["cut"]
]
NIL = [
    pytest.param(line, int(index), id=f"{named(line)}, item {index}")
    for line in lines("tolerance")
    for index in line["nil"]
]
FULL = {
    line["type"]: msgspec.msgpack.decode(bytes.fromhex(line["hex"]), type=list[msgspec.Raw])
    for line in VECTORS
    if line["variant"] == "Full"
}


def bodies(data: bytes) -> list[bytes]:
    return list(Frames().feed(data))


def test_every_message_is_there() -> None:
    (line,) = lines("types")
    found = {f"{each.__name__}Message": number for number, each in MESSAGES.items()}
    assert found == line["types"]


@pytest.mark.parametrize("line", SENT, ids=named)
def test_a_message_is_written_byte_for_byte(line: dict[str, Any]) -> None:
    assert bodies(write(message(line))) == [bytes.fromhex(line["hex"])]


@pytest.mark.parametrize("line", REFUSED, ids=named)
def test_what_a_reader_refuses_is_not_written(line: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match="must not be None"):
        write(message(line))


@pytest.mark.parametrize("line", VECTORS, ids=named)
def test_what_was_written_is_read(line: dict[str, Any]) -> None:
    body = bytes.fromhex(line["hex"])
    differs = line.get("reads", {})
    if "error" in differs:
        assert_unreadable(body)
        return
    assert_read(body, line["message"], line["fields"] | differs)


@pytest.mark.parametrize("line", lines("large"), ids=named)
def test_a_large_message_is_written_and_read(line: dict[str, Any]) -> None:
    built = build(line["build"])
    data = write(built)
    (body,) = bodies(data)
    prefix = data[: len(data) - len(body)]
    assert (prefix.hex(), len(body)) == (line["prefix"], line["length"])
    assert body[:32].hex() == line["head"]
    assert hashlib.sha256(body).hexdigest() == line["sha256"]
    assert read(body) == built


def build(rule: str) -> Message:
    count = int(re.findall(r"\d+", rule)[0])
    if rule.startswith("ConnectionId"):
        return ConnectionData(connection_id="c", payload=bytes(count))
    if rule.startswith("UserList"):
        return MultiUserData(user_ids=("u",) * count, payloads=())
    texts = ("a" * count,) if rule.startswith('Messages = ["a" *') else ("a",) * count
    return Ping(texts=texts)


@pytest.mark.parametrize(("line", "count"), CUT)
def test_a_shorter_message_is_read_as_an_older_peers(line: dict[str, Any], count: int) -> None:
    body = array(FULL[line["type"]][:count])
    assert_spoilt(body, line, line["cut"][str(count)])


@pytest.mark.parametrize(("line", "index"), NIL)
def test_nil_is_read_where_it_may_be(line: dict[str, Any], index: int) -> None:
    items = list(FULL[line["type"]])
    items[index] = msgspec.Raw(b"\xc0")
    assert_spoilt(array(items), line, line["nil"][str(index)])


@pytest.mark.parametrize("line", lines("tolerance"), ids=named)
@pytest.mark.parametrize(("kind", "item"), [("extra", "future"), ("extraMap", {"future": 1})])
def test_an_item_of_the_future_is_read_over(line: dict[str, Any], kind: str, item: object) -> None:
    body = array([*FULL[line["type"]], msgspec.Raw(msgspec.msgpack.encode(item))])
    assert_spoilt(body, line, line.get(kind, {}))


@pytest.mark.parametrize("line", lines("accepts"), ids=named)
def test_what_no_writer_makes_is_read_as_tolerantly(line: dict[str, Any]) -> None:
    expected = line["reads"]
    data = bytes.fromhex(line["framed"]) if "framed" in line else framed(bytes.fromhex(line["hex"]))
    if expected.get("incomplete"):
        assert bodies(data) == []
    elif "error" in expected:
        with pytest.raises(UnexpectedResponseError):
            [read(body) for body in bodies(data)]
    elif expected.get("ignored"):
        assert [read(body) for body in bodies(data)] == [None]
    else:
        body, *rest = bodies(data)
        assert len(b"".join(map(framed, rest))) == expected.get("rest", 0)
        assert_read(body, expected["message"], expected["fields"])


@pytest.mark.parametrize("line", lines("model"), ids=named)
def test_what_acks_bring_is_read(line: dict[str, Any]) -> None:
    assert brought(line["message"], bytes.fromhex(line["hex"])) == line["fields"]


@pytest.mark.parametrize("line", lines("model-accepts"), ids=named)
def test_what_acks_bring_is_read_as_tolerantly(line: dict[str, Any]) -> None:
    payload = bytes.fromhex(line["hex"])
    if "error" not in line["reads"]:
        assert brought(line["message"], payload) == line["reads"]
        return
    with pytest.raises(UnexpectedResponseError):
        brought(line["message"], payload)


def brought(name: str, payload: bytes) -> dict[str, Any]:
    if name == "ConnectionClaimsResponse":
        return {"Claims": [list(claim) for claim in read_claims(payload)]}
    page = read_group_page(payload)
    members = [[each.connection_id, each.user_id] for each in page.members]
    return {"Members": members, "ContinuationToken": page.continuation_token}


def array(items: list[msgspec.Raw]) -> bytes:
    return msgspec.msgpack.encode(items)


def assert_spoilt(body: bytes, line: dict[str, Any], expected: dict[str, Any]) -> None:
    if "error" in expected:
        assert_unreadable(body)
        return
    (full,) = (
        each for each in VECTORS if each["type"] == line["type"] and each["variant"] == "Full"
    )
    assert_read(body, line["message"], full["fields"] | expected)


def assert_read(body: bytes, name: str, expected: dict[str, Any]) -> None:
    found = read(body)
    assert found is not None
    is_field, should = of_message(found, name, expected)
    assert is_field == should


def assert_unreadable(body: bytes) -> None:
    with pytest.raises(UnexpectedResponseError):
        read(body)
