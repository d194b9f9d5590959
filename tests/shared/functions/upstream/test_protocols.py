"""Bodies of upstream calls and of their answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidArgumentError
from shared.functions.upstream.hub_protocol import (
    Completion,
    HubProtocol,
    MessageError,
    close_error,
    read_invocation,
)
from shared.functions.upstream.json_protocol import JSON
from shared.functions.upstream.messagepack_protocol import MESSAGEPACK

pack = msgspec.msgpack.encode


@pytest.mark.parametrize(
    ("protocol", "body", "invocation"),
    [
        (
            JSON,
            b'{"type":1,"invocationId":"7","target":"say","arguments":["\xc3\xa4",{"a":[1]}]}',
            ("say", ("ä", {"a": [1]}), "7", False),
        ),
        (JSON, b'{"type":1,"target":"say","arguments":[]}', ("say", (), None, False)),
        (
            JSON,
            b'{"type":1,"invocationId":null,"target":"say","arguments":[null]}',
            ("say", (None,), None, False),
        ),
        (
            JSON,
            b'{"type":4,"invocationId":"7","target":"say","arguments":[]}',
            ("say", (), "7", True),
        ),
        (
            JSON,
            b'{"type":1,"invocationId":"7","target":"say","arguments":[],"streamIds":["1"]}',
            ("say", (), "7", True),
        ),
        (
            MESSAGEPACK,
            pack([1, {}, "7", "say", ["ä", {"a": [1]}, b"\x00"]]),
            ("say", ("ä", {"a": [1]}, b"\x00"), "7", False),
        ),
        (MESSAGEPACK, pack([1, {}, None, "say", [], []]), ("say", (), None, False)),
        (MESSAGEPACK, pack([4, {}, "7", "say", []]), ("say", (), "7", True)),
        (
            MESSAGEPACK,
            pack([1, {}, "7", "say", [], ["1"]]),
            ("say", (), "7", True),
        ),
    ],
)
def test_invocations(protocol: HubProtocol, body: bytes, invocation: object) -> None:
    read = read_invocation(protocol, body)
    arguments = tuple(protocol.read(each, Any) for each in read.arguments)
    assert (read.target, arguments, read.invocation_id, read.streams) == invocation


@pytest.mark.parametrize(
    ("protocol", "body", "said"),
    [
        (JSON, b"", "not JSON"),
        (JSON, b"\xff", "not JSON"),
        (JSON, b'{"type":1,"target":"\xff","arguments":[]}', "target"),
        (JSON, b'{"a":' * 100_000, "not JSON"),
        (JSON, b'{"type":1,"target":"t","arguments":[NaN]}', "not JSON"),
        (JSON, b'{"type":1,"target":"t","arguments":[]}\x1e', "not JSON"),
        (JSON, b"[1]", "no object"),
        (JSON, b"{}", "no invocation"),
        (JSON, b'{"type":10}', "no invocation"),
        (JSON, b'{"type":[1]}', "no invocation"),
        (JSON, b'{"type":"1","target":"t","arguments":[]}', "no invocation"),
        (JSON, b'{"type":1,"arguments":[]}', "target"),
        (JSON, b'{"type":1,"target":1,"arguments":[]}', "target"),
        (JSON, b'{"type":1,"target":"t"}', "arguments"),
        (JSON, b'{"type":1,"target":"t","arguments":{}}', "arguments"),
        (JSON, b'{"type":1,"target":"t","arguments":[],"invocationId":1}', "id"),
        (MESSAGEPACK, b"", "not MessagePack"),
        (MESSAGEPACK, b"\x91" * 100_000, "not MessagePack"),
        (MESSAGEPACK, pack([1, {}, None, "t", []]) + b"\x00", "not MessagePack"),
        (MESSAGEPACK, b"\x81\x81\x01\x02\x03", "no array"),
        (MESSAGEPACK, b"\xdd\xff\xff\xff\xff", "not MessagePack"),
        (MESSAGEPACK, pack({"type": 1}), "no array"),
        (MESSAGEPACK, pack([]), "no array"),
        (MESSAGEPACK, pack([1]), "target"),
        (MESSAGEPACK, pack([1, {}, None, "t"]), "arguments"),
        (MESSAGEPACK, pack([1, {}, None, b"t", []]), "target"),
        (MESSAGEPACK, pack([1, {}, 7, "t", []]), "id"),
    ],
)
def test_what_is_no_invocation(protocol: HubProtocol, body: bytes, said: str) -> None:
    with pytest.raises(MessageError, match=said):
        read_invocation(protocol, body)


@pytest.mark.parametrize(
    ("protocol", "body", "error"),
    [
        (JSON, b'{"type":11}', None),
        (JSON, b'{"type":11,"error":null}', None),
        (JSON, b'{"type":11,"error":""}', None),
        (JSON, b'{"type":11,"error":"lost"}', "lost"),
        (JSON, b'{"Type":11,"Error":"lost"}', "lost"),
        (MESSAGEPACK, pack([11, "lost"]), "lost"),
        (MESSAGEPACK, pack([11, None]), None),
        (MESSAGEPACK, pack([11]), None),
    ],
)
def test_why_a_client_is_gone(protocol: HubProtocol, body: bytes, error: str | None) -> None:
    assert close_error(protocol, body) == error


def test_an_error_that_is_no_text() -> None:
    with pytest.raises(MessageError):
        close_error(JSON, b'{"type":11,"error":1}')


@pytest.mark.parametrize(
    ("completion", "written"),
    [
        (Completion("7"), b'{"type":3,"invocationId":"7","result":null}\x1e'),
        (Completion("7", [1, "ä"]), b'{"type":3,"invocationId":"7","result":[1,"\xc3\xa4"]}\x1e'),
        (
            Completion("7", [Decimal("12.50"), Decimal("0.1234567890123456789"), 10**30]),
            b'{"type":3,"invocationId":"7","result":[12.50,0.1234567890123456789,%d]}\x1e'
            % (10**30),
        ),
        (Completion("7", False), b'{"type":3,"invocationId":"7","result":false}\x1e'),
        (Completion("7", error="no"), b'{"type":3,"invocationId":"7","error":"no"}\x1e'),
        (Completion("\x1e", "\x1e"), b'{"type":3,"invocationId":"\\u001e","result":"\\u001e"}\x1e'),
    ],
)
def test_completions_in_json(completion: Completion, written: bytes) -> None:
    assert JSON.encode(completion) == written


@dataclass
class Price:
    value: float


@pytest.mark.parametrize(
    ("protocol", "result", "problem"),
    [
        (JSON, float("nan"), "JSON: it is NaN"),
        (JSON, {"a": [1, float("-inf")]}, "JSON: ['a'][1] is -Infinity"),
        (JSON, [Decimal("NaN")], "JSON: [0] is NaN"),
        (JSON, [1.5, Decimal("1E+999")], "JSON: [1] is a number that is too large"),
        (JSON, [{Decimal(1): 1}], "JSON: [0] has a key that is a value of type Decimal"),
        (JSON, [Price(float("nan"))], "JSON: [0]['value'] is NaN"),
        (JSON, ["\ud800"], "JSON: [0] contains half of a surrogate pair"),
        (JSON, [1, {"x": object()}], "JSON: [1]['x'] is a value of type object"),
        (MESSAGEPACK, [1, {"x": object()}], "MessagePack: [1]['x'] is a value of type object"),
        (MESSAGEPACK, [{"\ud800": 1}], "MessagePack: [0] has a key that contains half of a"),
        (MESSAGEPACK, [2**64], "MessagePack: [0] is a number that is too large"),
    ],
)
def test_a_result_that_cannot_be_written_is_told_with_its_place(
    protocol: HubProtocol, result: object, problem: str
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        protocol.encode(Completion("7", result))
    assert str(caught.value).startswith(f"result cannot be written as {problem}")


@pytest.mark.parametrize("protocol", [JSON, MESSAGEPACK])
def test_an_error_that_cannot_be_written_is_not_called_a_result(protocol: HubProtocol) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^error cannot be written as"):
        protocol.encode(Completion("7", error="\ud800"))


def test_types_that_json_lacks_are_written_as_text_or_as_what_they_hold() -> None:
    result = [date(2026, 1, 2), b"x", {3}, Price(1.5), {1: None}]
    body = JSON.encode(Completion("7", result)).removesuffix(b"\x1e")
    assert json.loads(body)["result"] == ["2026-01-02", "eA==", [3], {"value": 1.5}, {"1": None}]


@pytest.mark.parametrize(
    ("completion", "body"),
    [
        (Completion("7"), [3, {}, "7", 3, None]),
        (Completion("7", [1, b"\x00"]), [3, {}, "7", 3, [1, b"\x00"]]),
        (Completion("7", 0), [3, {}, "7", 3, 0]),
        # .NET writes and reads its decimals as text in MessagePack.
        (Completion("7", Decimal("12.50")), [3, {}, "7", 3, "12.50"]),
        (Completion("7", error="no"), [3, {}, "7", 1, "no"]),
    ],
)
def test_completions_in_messagepack(completion: Completion, body: object) -> None:
    written = MESSAGEPACK.encode(completion)
    assert written == bytes([len(written) - 1]) + pack(body)


@pytest.mark.parametrize(
    ("length", "prefix"), [(127, b"\x7f"), (128, b"\x80\x01"), (2**14, b"\x80\x80\x01")]
)
def test_the_length_before_a_message(length: int, prefix: bytes) -> None:
    bare = len(MESSAGEPACK.encode(Completion("", error="x" * 40))) - 41
    for text in ("x" * (length - bare - more) for more in range(5)):
        written = MESSAGEPACK.encode(Completion("", error=text))
        if len(written) - len(prefix) == length:
            assert written.startswith(prefix)
            return
    raise AssertionError("no text makes this length")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(st.text(), json_values)
def test_a_completion_says_what_it_holds(invocation_id: str, result: object) -> None:
    completion = Completion(invocation_id, result)
    expected = {"type": 3, "invocationId": invocation_id, "result": result}
    body, _, rest = JSON.encode(completion).partition(b"\x1e")
    assert (json.loads(body), rest) == (expected, b"")
    written = MESSAGEPACK.encode(completion)
    assert written.endswith(pack([3, {}, invocation_id, 3, result]))


@pytest.mark.parametrize("protocol", [JSON, MESSAGEPACK])
@given(body=st.binary())
def test_any_bytes_are_read_or_refused(protocol: HubProtocol, body: bytes) -> None:
    assert_read_or_refused(protocol, body)


@pytest.mark.parametrize(
    "message",
    [
        b'{"type":1,"invocationId":"7","target":"say","arguments":[1,{"a":"\\ud83d"}]}',
        b'{"type":1,"invocationId":"7","target":"say","arguments":[1,"\xff"]}',
    ],
)
def test_text_that_is_cut_in_a_character_is_no_fault_of_the_message(message: bytes) -> None:
    invocation = read_invocation(JSON, message)
    assert invocation.invocation_id == "7"
    one, cut = invocation.arguments
    assert JSON.read(one, Any) == 1
    with pytest.raises(ValueError, match="utf-8"):
        JSON.read(cut, Any)


@pytest.mark.parametrize(
    "message",
    [
        b'{"type":1,"target":"say","arguments":[1.50],"headers":{"a":"\\ud83d"}}',
        b'{"type":1,"target":"say","arguments":["\\ud83d",NaN]}',
        b'{"type":1,"target":"say","arguments":["\\ud83d",1e999]}',
        b'{"type":1,"target":"say","arguments":["\\ud83d"]',
        '{"type":1,"target":"say","arguments":[1e999]}'.encode("utf-16"),
    ],
)
def test_any_other_fault_is_one_of_the_message(message: bytes) -> None:
    with pytest.raises(MessageError, match="not JSON"):
        read_invocation(JSON, message)


@given(st.lists(json_values, max_size=7))
def test_any_array_is_read_or_refused(elements: list[object]) -> None:
    assert_read_or_refused(MESSAGEPACK, pack(elements))


@given(
    st.dictionaries(st.sampled_from(["type", "target", "arguments", "invocationId"]), json_values)
)
def test_any_object_is_read_or_refused(fields: Mapping[str, object]) -> None:
    assert_read_or_refused(JSON, json.dumps(fields).encode())


def assert_read_or_refused(protocol: HubProtocol, body: bytes) -> None:
    try:
        invocation = read_invocation(protocol, body)
    except MessageError as error:
        assert len(str(error)) < 60
    else:
        assert isinstance(invocation.target, str)
