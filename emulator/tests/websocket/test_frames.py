import pytest
from signalr_emulator.websocket.frames import text_frame


@pytest.mark.parametrize(
    ("length", "header"),
    [
        (0, "8100"),
        (125, "817d"),
        (126, "817e007e"),
        (65535, "817effff"),
        (65536, "817f0000000000010000"),
    ],
)
def test_header_is_the_shortest_that_holds_the_length(length: int, header: str) -> None:
    payload = b"x" * length
    assert text_frame(payload) == bytes.fromhex(header) + payload
