"""Every rule of RFC 6455 for what a server reads, by section."""

import random
import tracemalloc

import pytest
from signalr_emulator.errors import WebSocketError
from signalr_emulator.websocket.frames import Opcode
from signalr_emulator.websocket.reading import FrameReader, Received

from emulator.tests.websocket.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    closing,
    frame,
)

MAX = 70_000
HELLO = [Received(Opcode.TEXT, b"Hello")]


def read(data: bytes, *, size: int | None = None) -> list[Received]:
    """Read everything, at once or in pieces of a size."""
    reader = FrameReader(MAX)
    found = []
    for start in range(0, len(data), size or len(data)):
        reader.feed(data[start : start + (size or len(data))])
        while (received := reader.next()) is not None:
            found.append(received)
    return found


def refused(data: bytes) -> tuple[int, str]:
    """Read what breaks the protocol, and give the status and the reason."""
    with pytest.raises(WebSocketError) as whole:
        read(data)
    with pytest.raises(WebSocketError) as cut:
        read(data, size=1)
    assert (whole.value.code, str(whole.value)) == (cut.value.code, str(cut.value))
    return whole.value.code, str(whole.value)


def test_the_example_of_section_5_7() -> None:
    assert read(bytes.fromhex("818537fa213d7f9f4d5158")) == HELLO


@pytest.mark.parametrize("size", [None, 1, 2, 3, 7])
@pytest.mark.parametrize(
    ("sent", "read_as"),
    [
        (frame(TEXT), [(Opcode.TEXT, b"")]),
        (frame(BINARY, b"\xff\x00"), [(Opcode.BINARY, b"\xff\x00")]),
        (frame(TEXT, "ä€😀".encode()), [(Opcode.TEXT, "ä€😀".encode())]),
        (frame(PING, b"x" * 125), [(Opcode.PING, b"x" * 125)]),
        (frame(PONG) + frame(PING), [(Opcode.PONG, b""), (Opcode.PING, b"")]),
        (frame(CLOSE), [(Opcode.CLOSE, b"")]),
        (closing(1000, "Grüße".encode()), [(Opcode.CLOSE, b"\x03\xe8" + "Grüße".encode())]),
        (  # 5.4: in fragments, of which any may be empty
            frame(TEXT, final=False)
            + frame(CONTINUATION, b"Hel", final=False)
            + frame(CONTINUATION, b"", final=False)
            + frame(CONTINUATION, b"lo"),
            HELLO,
        ),
        (  # 5.4: frames that control the connection come in between
            frame(BINARY, b"a", final=False)
            + frame(PING, b"1")
            + frame(CONTINUATION, b"b", final=False)
            + frame(PONG, b"2")
            + frame(CONTINUATION, b"c"),
            [(Opcode.PING, b"1"), (Opcode.PONG, b"2"), (Opcode.BINARY, b"abc")],
        ),
        (  # 5.6: a character may lie across two fragments
            frame(TEXT, "ä".encode()[:1], final=False) + frame(CONTINUATION, "ä".encode()[1:]),
            [(Opcode.TEXT, "ä".encode())],
        ),
        (  # 5.4: after a message in fragments another begins
            frame(TEXT, b"a", final=False) + frame(CONTINUATION, b"b") + frame(TEXT, b"c"),
            [(Opcode.TEXT, b"ab"), (Opcode.TEXT, b"c")],
        ),
    ],
)
def test_messages(sent: bytes, read_as: list[tuple[Opcode, bytes]], size: int | None) -> None:
    assert read(sent, size=size) == read_as


@pytest.mark.parametrize(
    "length", [1, 3, 4, 125, 126, 255, 256, 257, 4095, 4096, 4097, 8193, 65_535, 65_536, MAX]
)
@pytest.mark.parametrize("mask", [b"\x37\xfa\x21\x3d", b"\x00\x00\x00\x00", b"\x00\xff\x00\x01"])
def test_a_mask_is_taken_away_at_any_length(length: int, mask: bytes) -> None:
    payload = random.Random(length).randbytes(length)  # noqa: S311 - the same in each run
    # Two in one read: neither begins where the other's memory does.
    sent = 2 * frame(BINARY, payload, mask=mask)
    expected = 2 * [Received(Opcode.BINARY, payload)]
    assert read(sent) == expected
    assert read(sent, size=1000) == expected


@pytest.mark.parametrize("extended", [b"\xfe\x00\x05", b"\xff" + bytes(7) + b"\x05"])
def test_a_length_may_be_written_longer_than_it_has_to_be(extended: bytes) -> None:
    """The rule of 5.2 is one for senders: .NET reads such frames too."""
    assert read(b"\x81" + extended + bytes(4) + b"Hello") == HELLO


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        # 5.2: no extension was agreed on, compression neither
        (frame(TEXT, b"a", reserved=0b100), "A frame has a reserved bit set."),
        (frame(TEXT, b"a", reserved=0b010), "A frame has a reserved bit set."),
        (frame(PING, reserved=0b001), "A frame has a reserved bit set."),
        *((frame(opcode), "A frame has a reserved opcode.") for opcode in (3, 4, 5, 6, 7)),
        *((frame(opcode), "A frame has a reserved opcode.") for opcode in (11, 12, 13, 14, 15)),
        (b"\x82\xff\x80" + bytes(7), "The length of a frame has its highest bit set."),
        # 5.1
        (b"\x81\x05Hello", "A frame is not masked."),
        (b"\x89\x00", "A frame is not masked."),
        # 5.4
        (frame(CONTINUATION, b"a"), "A fragment does not continue a message."),
        (
            frame(TEXT, b"a", final=False) + frame(CONTINUATION) + frame(CONTINUATION),
            "A fragment does not continue a message.",
        ),
        (frame(TEXT, final=False) + frame(TEXT), "A fragment does not continue a message."),
        (frame(TEXT, final=False) + frame(BINARY), "A fragment does not continue a message."),
        # 5.5
        (frame(PING, b"x" * 126), "A control frame is longer than 125 bytes."),
        (frame(CLOSE, b"x" * 126), "A control frame is longer than 125 bytes."),
        *(
            (frame(opcode, final=False), "A control frame is fragmented.")
            for opcode in (CLOSE, PING, PONG)
        ),
        # 5.5.1 and 7.4: a close has no code at all, or one that may be sent
        (frame(CLOSE, b"\x03"), "A frame closes with a code that does not exist."),
        *(
            (closing(code), "A frame closes with a code that does not exist.")
            for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535)
        ),
    ],
)
def test_what_breaks_the_protocol(sent: bytes, reason: str) -> None:
    assert refused(sent) == (1002, reason)


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999])
def test_codes_that_may_close(code: int) -> None:
    assert read(closing(code)) == [Received(Opcode.CLOSE, code.to_bytes(2))]


@pytest.mark.parametrize(
    "sent",
    [
        frame(TEXT, b"\xff"),
        frame(TEXT, "ä".encode()[:1]),
        frame(TEXT, b"\xed\xa0\x80"),  # half of a pair of surrogates
        frame(TEXT, b"x" * 5000 + b"\xc0\x80" + b"x" * 5000),
        frame(TEXT, b"\xc3", final=False) + frame(CONTINUATION, b"\xc3"),
        closing(1000, b"\xff"),
    ],
)
def test_text_that_is_not_utf_8(sent: bytes) -> None:
    """5.6, 8.1."""
    assert refused(sent) == (1007, "Text is not UTF-8.")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x82\xff" + (MAX + 1).to_bytes(8),
        frame(BINARY, b"x" * MAX, final=False) + frame(CONTINUATION, b"x"),
        b"\x82\xff\x7f" + b"\xff" * 7,
    ],
)
def test_a_message_that_is_too_long_is_refused_by_its_header(sent: bytes) -> None:
    """10.4."""
    assert refused(sent) == (1009, f"A message is longer than {MAX} bytes.")


@pytest.mark.parametrize("first", [b"\xc1", b"\x83", b"\x80", b"\x09"])
def test_a_wrong_header_is_refused_before_its_payload_comes(first: bytes) -> None:
    reader = FrameReader(MAX)
    reader.feed(first + b"\x85")
    with pytest.raises(WebSocketError):
        reader.next()


def test_fragments_without_content_take_no_memory() -> None:
    reader = FrameReader(MAX)
    empty = frame(CONTINUATION, final=False) * 1000
    reader.feed(frame(TEXT, final=False))
    tracemalloc.start()
    for _ in range(20):
        reader.feed(empty)
        assert reader.next() is None
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 2 * len(empty)
    reader.feed(frame(CONTINUATION, b"end"))
    assert reader.next() == Received(Opcode.TEXT, b"end")


def test_what_is_read_is_not_kept() -> None:
    reader = FrameReader(1 << 20)
    sent = frame(BINARY, bytes(1 << 20))
    tracemalloc.start()
    reader.feed(sent[:-10])
    assert reader.next() is None
    reader.feed(sent[-10:] + frame(BINARY, b"the next")[:-1])
    assert reader.next() is not None
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 10_000
    reader.feed(frame(BINARY, b"the next")[-1:])
    assert reader.next() == Received(Opcode.BINARY, b"the next")
