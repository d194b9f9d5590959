"""What of a text reaches a terminal."""

from hypothesis import given
from hypothesis import strategies as st

from shared.command.output import printable


@given(st.text())
def test_nothing_controls_a_terminal(text: str) -> None:
    assert printable(text).isprintable()


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_what_people_write_stays(text: str) -> None:
    assert printable(text) == text


def test_what_is_escaped_can_be_read() -> None:
    assert printable("a\x1b[2J\r\n\x7f\x9b\u202e\ud800") == (
        r"a\u001b[2J\r\n\u007f\u009b\u202e\ud800"
    )
