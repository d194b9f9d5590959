"""Messages are written and read as the package of the SDK for .NET does it."""

import hashlib
import re
from typing import Any

import msgspec
import pytest
from signalr_emulator.errors import ProtocolError, ServiceMessageError
from signalr_emulator.protocols.messagepack import framed
from signalr_emulator.service_protocol.codec import message_reader, read, write
from signalr_emulator.service_protocol.messages import ConnectionData, Ping
from signalr_emulator.service_protocol.payloads import Member, write_claims, write_group_page
from signalr_emulator.service_protocol.sends import MultiUserData
from signalr_emulator.service_protocol.table import LAYOUTS, Message

from emulator.tests.service_protocol.vectors import MESSAGES, lines, message, named, of_message

VECTORS = lines("vector")
REFUSED = [line for line in VECTORS if "error" in line.get("reads", {})]
SENT = [line for line in VECTORS if line not in REFUSED]
FULL = {line["type"]: line for line in VECTORS if line["variant"] == "Full"}
TOLERANCE = lines("tolerance")
CUT = [
    pytest.param(line, int(count), id=f"{named(line)} of {count}")
    for line in TOLERANCE
    for count in line["cut"]
]
NIL = [
    pytest.param(line, int(index), id=f"{named(line)}, item {index}")
    for line in TOLERANCE
    for index in line["nil"]
]


def bodies(data: bytes) -> list[bytes]:
    return list(message_reader((1 << 31) - 1).feed(data))


def full_items(line: dict[str, Any]) -> list[msgspec.Raw]:
    body = bytes.fromhex(FULL[line["type"]]["hex"])
    return msgspec.msgpack.decode(body, type=list[msgspec.Raw])


def test_every_message_is_there() -> None:
    (line,) = lines("types")
    assert {name: LAYOUTS[each].number for name, each in MESSAGES.items()} == line["types"]


@pytest.mark.parametrize("line", SENT, ids=named)
def test_a_message_is_written_byte_for_byte(line: dict[str, Any]) -> None:
    assert write(message(line)).hex() == framed(bytes.fromhex(line["hex"])).hex()


@pytest.mark.parametrize("line", REFUSED, ids=named)
def test_what_a_reader_refuses_is_not_written(line: dict[str, Any]) -> None:
    with pytest.raises(ServiceMessageError) as caught:
        write(message(line))
    assert f"{caught.value.message}Message" == line["message"]


@pytest.mark.parametrize("line", VECTORS, ids=named)
def test_what_was_written_is_read(line: dict[str, Any]) -> None:
    assert_reads(line["hex"], line["message"], line["fields"], line.get("reads", {}))


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
        return ConnectionData("c", bytes(count))
    if rule.startswith("UserList"):
        return MultiUserData(("u",) * count, ())
    return Ping(("a" * count,) if rule.startswith('Messages = ["a" *') else ("a",) * count)


@pytest.mark.parametrize(("line", "count"), CUT)
def test_a_shorter_message_is_read_as_an_older_peers(line: dict[str, Any], count: int) -> None:
    assert_spoilt(full_items(line)[:count], line, line["cut"][str(count)])


@pytest.mark.parametrize(("line", "index"), NIL)
def test_nil_is_read_where_it_may_be(line: dict[str, Any], index: int) -> None:
    items = full_items(line)
    items[index] = msgspec.Raw(b"\xc0")
    assert_spoilt(items, line, line["nil"][str(index)])


@pytest.mark.parametrize("line", TOLERANCE, ids=named)
@pytest.mark.parametrize(("kind", "item"), [("extra", "future"), ("extraMap", {"future": 1})])
def test_an_item_of_the_future_is_read_over(line: dict[str, Any], kind: str, item: object) -> None:
    items = [*full_items(line), msgspec.Raw(msgspec.msgpack.encode(item))]
    assert_spoilt(items, line, line.get(kind, {}))


@pytest.mark.parametrize("line", lines("accepts"), ids=named)
def test_what_no_writer_makes_is_read_as_tolerantly(line: dict[str, Any]) -> None:
    expected = line["reads"]
    data = bytes.fromhex(line["framed"]) if "framed" in line else framed(bytes.fromhex(line["hex"]))
    if expected.get("incomplete"):
        assert bodies(data) == []
    elif "error" in expected:
        with pytest.raises((ProtocolError, ServiceMessageError)):
            [read(body) for body in bodies(data)]
    elif expected.get("ignored"):
        assert [read(body) for body in bodies(data)] == [None]
    else:
        body, *rest = bodies(data)
        assert len(b"".join(map(framed, rest))) == expected.get("rest", 0)
        assert_reads(body.hex(), expected["message"], expected["fields"], {})


@pytest.mark.parametrize("line", lines("model"), ids=named)
def test_what_acks_bring_is_written_byte_for_byte(line: dict[str, Any]) -> None:
    given = line["fields"]
    if "Claims" in given:
        written = write_claims([(kind, value) for kind, value in given["Claims"]])
    else:
        members = [Member(*each) for each in given["Members"]]
        written = write_group_page(members, given["ContinuationToken"])
    assert written.hex() == line["hex"]


def assert_spoilt(items: list[msgspec.Raw], line: dict[str, Any], differs: dict[str, Any]) -> None:
    body = msgspec.msgpack.encode(items).hex()
    assert_reads(body, line["message"], FULL[line["type"]]["fields"], differs)


def assert_reads(body: str, name: str, given: dict[str, Any], differs: dict[str, Any]) -> None:
    if "error" in differs:
        with pytest.raises(ServiceMessageError) as caught:
            read(bytes.fromhex(body))
        assert f"{caught.value.message}Message" in (name, "MessageMessage")
        return
    found, should = of_message(read(bytes.fromhex(body)), name, given | differs)
    assert found == should
