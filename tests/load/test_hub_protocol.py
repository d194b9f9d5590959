import json

from load.clients.hub_protocol import HANDSHAKE, EventReader, RecordReader, invocation


def test_messages_are_found_however_they_are_cut() -> None:
    stream = b'{}\x1e{"type":6}\x1e{"type":1,"arguments":["\xc3\xa4"]}\x1e'
    expected = [{}, {"type": 6}, {"type": 1, "arguments": ["ä"]}]
    assert RecordReader().feed(stream) == expected
    reader = RecordReader()
    found = [record for byte in stream for record in reader.feed(bytes([byte]))]
    assert found == expected


def test_events_are_found_however_they_are_cut_and_comments_are_none() -> None:
    lines = b":\n\ndata: {}\x1e\n\ndata: one\x1e\ndata: two\x1e\n\n"
    expected = b"{}\x1eone\x1e\ntwo\x1e"
    for stream in (lines, lines.replace(b"\n", b"\r\n")):
        assert EventReader().feed(stream) == expected
        reader = EventReader()
        assert b"".join(reader.feed(bytes([byte])) for byte in stream) == expected


def test_what_is_said_is_a_message_of_its_own() -> None:
    assert HANDSHAKE.endswith(b"\x1e")
    assert json.loads(invocation("7", "say", "a", 1).removesuffix(b"\x1e")) == {
        "type": 1,
        "invocationId": "7",
        "target": "say",
        "arguments": ["a", 1],
    }
