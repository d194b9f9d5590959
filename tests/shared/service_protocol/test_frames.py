"""Messages come whole, however WebSocket messages cut them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bodies.hub_messages import framed
from shared.errors import UnexpectedResponseError
from shared.service_protocol.codec import Frames

BODIES = st.lists(st.binary(max_size=300), max_size=8)


@given(BODIES, st.lists(st.integers(min_value=0, max_value=2500)))
def test_the_cut_does_not_matter(bodies: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(map(framed, bodies))
    frames = Frames()
    found: list[bytes] = []
    for start, end in itertools.pairwise([0, *sorted(cuts), len(stream)]):
        found += frames.feed(stream[start:end])
    assert found == bodies


def test_a_long_message_comes_byte_by_byte() -> None:
    stream = framed(bytes(20_000)) + framed(b"next")
    frames = Frames()
    found = [body for byte in stream for body in frames.feed(bytes((byte,)))]
    assert found == [bytes(20_000), b"next"]


def test_what_is_whole_is_there_before_a_length_that_is_none() -> None:
    found = Frames().feed(framed(b"one") + b"\x80\x80\x80\x80\x80")
    assert next(found) == b"one"
    with pytest.raises(UnexpectedResponseError, match="longer than 2 GB"):
        next(found)


@pytest.mark.parametrize("prefix", ["8080808008", "ffffffffff", "808080808001"])
def test_a_length_over_2_gb_is_refused(prefix: str) -> None:
    with pytest.raises(UnexpectedResponseError):
        list(Frames().feed(bytes.fromhex(prefix)))


def test_2_gb_less_a_byte_are_waited_for() -> None:
    assert list(Frames().feed(bytes.fromhex("ffffffff07"))) == []
