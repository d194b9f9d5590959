import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signalr_emulator.documents.json_text import decode, encode
from signalr_emulator.errors import JsonError


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"NaN",
        b"[-Infinity]",
        b"1e999",
        b"\xff",
        b"'a'",
        b"1" * 5000,
        b"[" * 200_000,
    ],
)
def test_only_json_is_decoded(text: bytes) -> None:
    with pytest.raises(JsonError):
        decode(text)


def test_error_does_not_quote_the_text() -> None:
    with pytest.raises(JsonError) as caught:
        decode(b'{"secret": }')
    assert "secret" not in str(caught.value)


def test_text_is_compact_and_keeps_characters() -> None:
    assert encode({"a": [1, "é€"], "b": None}) == '{"a":[1,"é€"],"b":null}'.encode()


def test_lone_surrogate_is_escaped() -> None:
    assert encode(decode(b'["\\ud800"]')) == b'["\\ud800"]'


def test_what_json_cannot_say_is_refused() -> None:
    with pytest.raises(JsonError):
        encode([float("nan")])


@settings(deadline=None)
@given(st.binary())
def test_arbitrary_bytes_raise_nothing_else(text: bytes) -> None:
    try:
        value = decode(text)
    except JsonError:
        return
    assert decode(encode(value)) == value
