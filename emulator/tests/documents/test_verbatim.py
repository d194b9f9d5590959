import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signalr_emulator.documents.json_text import decode
from signalr_emulator.documents.verbatim import elements, members, skim, verbatim
from signalr_emulator.errors import JsonError


def test_members_keep_their_text() -> None:
    text = ' {"a" : 12.50 ,\t"\\u00e9":[1, 2,{"x":null}],\r\n"b":"\\ud800","a":1E400} '
    assert members(text.encode()) == {
        "a": b"1E400",
        "é": b'[1, 2,{"x":null}]',
        "b": b'"\\ud800"',
    }
    assert members(b"{ }") == {}


def test_elements_keep_their_text() -> None:
    assert elements(b' [0.10 , {"a": 1} ,"]"] ') == [b"0.10", b'{"a": 1}', b'"]"']
    assert elements(b"[ ]") == []


def test_a_value_keeps_its_text() -> None:
    assert verbatim(b'\n {"a":1,"a": 2} ') == b'{"a":1,"a": 2}'
    assert verbatim(b"9" * 5000) == b"9" * 5000


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "{",
            '{"a"}',
            '{"a":}',
            '{"a":1,}',
            "{,}",
            "{1:2}",
            "{true:1}",
            '{"a":1}x',
            '{"a":1}{',
        ),
        *('{"a":1 "b":2}', '{"a":1]', '{"a":NaN}', '{"a":01}', '{"a":"\x1e"}', "\ufeff{}", "[1,]"),
    ],
)
def test_what_is_no_json_has_no_parts(text: str) -> None:
    for read in (members, elements, verbatim):
        with pytest.raises(JsonError, match="is not valid JSON in UTF-8"):
            read(text.encode())


def test_what_is_not_utf_8_is_no_json() -> None:
    for text in (b'{"a":"\xff"}', b'{"a":"\xed\xa0\x80"}'):
        with pytest.raises(JsonError):
            members(text)


def test_what_is_another_kind_of_json() -> None:
    with pytest.raises(JsonError, match="is not an object"):
        members(b"[1]")
    with pytest.raises(JsonError, match="is not an array"):
        elements(b"{}")


@pytest.mark.parametrize("text", [b"[" * 200_000, b'{"a":' * 200_000])
def test_deep_nesting_is_refused(text: bytes) -> None:
    with pytest.raises(JsonError, match="nested too deep"):
        verbatim(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(), VALUES, max_size=4), st.sampled_from([None, 0, 3]))
def test_parts_are_those_of_the_whole(document: dict[str, object], indent: int | None) -> None:
    text = json.dumps(document, indent=indent).replace("Infinity", "1e9").encode()
    assert {name: decode(part) for name, part in members(text).items()} == decode(text)
    whole = json.dumps(list(document.values()), indent=indent).replace("Infinity", "1e9").encode()
    assert [decode(part) for part in elements(whole)] == decode(whole)


@settings(deadline=None)
@given(st.binary())
def test_arbitrary_bytes_raise_nothing_else(text: bytes) -> None:
    for read in (members, elements, verbatim):
        try:
            read(text)
        except JsonError:
            continue


def test_a_look_at_a_value() -> None:
    assert skim(b'{"a":[1,2.5,1E400],"b":null}') == {"a": [1.0, 2.5, float("inf")], "b": None}
    assert skim(b"9" * 5000) == float("inf")
    with pytest.raises(JsonError):
        skim(b"[NaN]")
