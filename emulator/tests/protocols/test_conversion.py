import pytest
from msgspec import msgpack
from signalr_emulator.documents.json_text import Json, decode, encode
from signalr_emulator.documents.verbatim import JsonText
from signalr_emulator.errors import JsonError
from signalr_emulator.protocols.conversion import json_text, packed


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"\x00\xff", "AP8="),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        (msgpack.Ext(5, b"a"), "YQ=="),
        (
            {1: 2, None: 3, False: 4, 1.5: 5, b"a": 6},
            {"1": 2, "null": 3, "false": 4, "1.5": 5, "YQ==": 6},
        ),
        ([2**64 - 1, -(2**63), 0.1], [2**64 - 1, -(2**63), 0.1]),
        (["ä" * 300, b"x" * 300, [300] * 300], ["ä" * 300, "eHh4" * 100, [300] * 300]),
    ],
)
def test_what_json_makes_of_messagepack(value: object, expected: Json) -> None:
    written = msgpack.encode(value)
    assert decode(json_text(written)) == expected
    # Beside a timestamp it is read in another way.
    both = decode(json_text(b"\x92\xd6\xff\x00\x00\x00\x00" + written))
    assert both == ["1970-01-01T00:00:00Z", expected]


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("d6ff 6553f100", "2023-11-14T22:13:20Z"),
        ("d7ff 1e9efed06553f100", "2023-11-14T22:13:20.1284341Z"),
        # The first and the last moment that .NET has, to a tenth of a microsecond.
        ("c70cff 00000000 fffffff1886e0900", "0001-01-01T00:00:00Z"),
        ("c70cff 3b9ac99c 0000003afff4417f", "9999-12-31T23:59:59.9999999Z"),
        # A year that no calendar has.
        ("c70cff 00000001 7fffffffffffffff", "AAAAAX//////////"),
    ],
)
def test_what_json_makes_of_a_timestamp(timestamp: str, expected: str) -> None:
    assert decode(json_text(bytes.fromhex(timestamp))) == expected


@pytest.mark.parametrize("value", ["", "c1", "a1ff", "92 01", "81 90 01", "01 01"])
def test_what_is_no_messagepack(value: str) -> None:
    with pytest.raises(JsonError):
        json_text(bytes.fromhex(value))


@pytest.mark.parametrize("first", ["dd", "df", "db", "c6", "c9"])
def test_a_length_that_nobody_has_sent(first: str) -> None:
    with pytest.raises(JsonError):
        json_text(bytes.fromhex(first + "ffffffff 01"))


@pytest.mark.parametrize("timestamp", ["c703ff000000", "d7ff" + "ff" * 8, "c70cff" + "ff" * 12])
def test_what_is_no_timestamp(timestamp: str) -> None:
    with pytest.raises(JsonError):
        json_text(bytes.fromhex(timestamp))


def test_an_extension_may_be_the_key_of_a_map_and_may_have_any_code() -> None:
    assert json_text(bytes.fromhex("81 d40561 d4fe62")) == b'{"YQ==":"Yg=="}'


@pytest.mark.parametrize("depth", [600, 100_000])
def test_messagepack_that_is_nested_too_deep(depth: int) -> None:
    with pytest.raises(JsonError):
        json_text(b"\x91" * depth * 2 + b"\x00")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[18446744073709551615,-9223372036854775808]", [2**64 - 1, -(2**63)]),
        ("[18446744073709551616,-9223372036854775809]", [2.0**64, -(2.0**63)]),
        ("[12.50,1234567890123456.789,1E2]", [12.5, 1234567890123456.8, 100.0]),
        (f"[1e400,{'9' * 5000},-1e400]", [float("inf"), float("inf"), float("-inf")]),
        (r'["\ud800","\u00e9",null,true]', ["?", "é", None, True]),
        ('{"a":1,"a":2}', {"a": 2}),
    ],
)
def test_what_messagepack_makes_of_json(text: str, expected: Json) -> None:
    assert msgpack.decode(packed(JsonText(text.encode()))) == expected


def test_json_that_is_nested_too_deep() -> None:
    depth = 100_000
    with pytest.raises(JsonError, match="nested too deep"):
        packed(JsonText(b"[" * depth + b"]" * depth))


def test_integers_and_doubles_stay_apart() -> None:
    assert packed(JsonText(b"[1,1.0]")) == bytes.fromhex("92 01 cb3ff0000000000000")
    assert json_text(bytes.fromhex("92 01 cb3ff0000000000000")) == encode([1, 1.0]) == b"[1,1.0]"
