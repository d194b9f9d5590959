"""A client cannot make the emulator grow by messages that are not well-formed."""

from msgspec.msgpack import encode
from signalr_emulator.operations.binary_payload import parse_binary_item, parse_binary_payload
from signalr_emulator.protocols.conversion import json_text
from signalr_emulator.protocols.messagepack import framed, open_envelope, parse_messagepack

from emulator.tests.growth import growth

VALUES = ["ä", {"a": [1.5, None]}, b"\xff"]


def open_framed(record: bytes) -> object:
    return open_envelope(framed(record))


def result_in_json(record: bytes) -> object:
    return json_text(record)


def item_in_json(body: bytes) -> object:
    return parse_binary_item(body, "7")


def test_spoilt_messages_of_clients_leave_nothing_in_memory() -> None:
    messages = ([1, {"a": "b"}, "7", "say", VALUES, []], [3, {}, "7", 3, VALUES])
    kept = growth((parse_messagepack, open_framed, result_in_json), map(encode, messages))
    assert min(kept.read, kept.refused) > 1_000
    assert kept.traced < 100_000
    assert kept.resident < 1_000_000


def test_spoilt_messages_of_callers_leave_nothing_in_memory() -> None:
    item = framed(encode([2, {}, "7", VALUES]))
    messages = ({"target": "say", "arguments": VALUES}, {"messagepack": item})
    kept = growth((parse_binary_payload, item_in_json), map(encode, messages))
    assert min(kept.read, kept.refused) > 1_000
    assert kept.traced < 100_000
    assert kept.resident < 1_000_000
