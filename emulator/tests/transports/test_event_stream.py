import pytest
from signalr_emulator.transports.event_stream import OPENING_CHUNK, event, event_chunk


@pytest.mark.parametrize(
    ("payload", "written"),
    [
        (b"{}\x1e", b"data: {}\x1e\r\n\r\n"),
        (b"[\r\n1,\r2,\n3]", b"data: [\r\ndata: 1,\r\ndata: 2,\r\ndata: 3]\r\n\r\n"),
    ],
)
def test_every_line_ends_with_cr_lf(payload: bytes, written: bytes) -> None:
    """.NET clients up to version 8 end the connection over any other line end."""
    assert event(payload) == written
    assert event_chunk(payload) == b"%x\r\n%b\r\n" % (len(written), written)


def test_the_stream_opens_with_a_comment() -> None:
    assert OPENING_CHUNK == b"5\r\n:\r\n\r\n\r\n"
