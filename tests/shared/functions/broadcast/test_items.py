import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from shared.bodies.values import RawJson
from shared.functions.broadcast.body import read_items
from shared.functions.broadcast.groups import GroupAction
from shared.functions.broadcast.items import Item, Recipient, RecipientKind
from shared.functions.broadcast.messages import Message, arguments_as_written
from shared.functions.problems import ProblemError
from shared.settings.hubs import Hubs

HUBS = Hubs.of(("chat", "news"))


def parse(value: object) -> list[Message]:
    return read_items(json.dumps(value).encode(), Message, HUBS)


def errors_of(body: bytes, item: type[Item] = Message) -> list[tuple[str, str]]:
    with pytest.raises(ProblemError) as caught:
        read_items(body, item, HUBS)
    assert caught.value.status == 400
    return [(error["pointer"], error["detail"]) for error in caught.value.errors]


@pytest.mark.parametrize(
    ("message", "kind", "recipient"),
    [
        ({"target": "t"}, RecipientKind.EVERYONE, ""),
        ({"target": "t", "userId": "ann"}, RecipientKind.USER, "ann"),
        ({"target": "t", "groupName": "g/1"}, RecipientKind.GROUP, "g/1"),
        ({"target": "t", "connectionId": "c"}, RecipientKind.CONNECTION, "c"),
    ],
)
def test_recipients(message: object, kind: RecipientKind, recipient: str) -> None:
    (parsed,) = parse(message)
    assert parsed.recipient == Recipient(kind, recipient)


def test_every_field() -> None:
    (message,) = parse(
        {"target": "t", "arguments": [1, {"a": "ä"}], "hub": "NEWS", "excluded": ["c1", "c2"]}
    )
    assert (message.hub, message.target) == ("news", "t")
    assert message.arguments == (1, {"a": "ä"})
    assert message.excluded == ["c1", "c2"]


def test_a_message_that_names_no_hub_goes_to_the_default_one() -> None:
    (message,) = parse({"target": "t"})
    assert message.delivery(HUBS.default, RawJson(b"[]")).hub == "chat"


def test_without_a_default_hub_each_message_names_its_own() -> None:
    hubs = Hubs.of(["tenant_*"])
    body = b'[{"target": "t", "hub": "TENANT_7"}, {"target": "t"}]'
    with pytest.raises(ProblemError) as caught:
        read_items(body, Message, hubs)
    told = "is missing, and this app has no default hub"
    assert [*caught.value.errors] == [{"pointer": "#/1/hub", "detail": told}]
    named, other = read_items(body, Message, hubs._replace(default="tenant_1"))
    assert (named.hub, other.hub) == ("tenant_7", UNSET)


def test_a_list_keeps_its_order() -> None:
    assert [message.target for message in parse([{"target": "a"}, {"target": "b"}])] == ["a", "b"]


@pytest.mark.parametrize(
    ("message", "pointer", "said"),
    [
        ("text", "#", "must be a message"),
        (None, "#", "must be a message"),
        ({}, "#/target", "is missing"),
        ({"target": ""}, "#/target", "must not be empty"),
        ({"target": 7}, "#/target", "must be a string"),
        ({"target": None}, "#/target", "must be a string"),
        ({"target": "t", "arguments": "x"}, "#/arguments", "must be a list"),
        ({"target": "t", "arguments": ["\ud800"]}, "#/arguments", "JSON: [0] contains half of"),
        ({"target": "\ud800"}, "#/target", "cannot be written as JSON: it contains half of"),
        ({"target": "t", "userId": None}, "#/userId", "must be a string"),
        ({"target": "t", "userId": ""}, "#/userId", "must not be empty"),
        ({"target": "t", "userId": "u" * 1025}, "#/userId", "longer than 1024"),
        ({"target": "t", "groupName": "g" * 1025}, "#/groupName", "longer than 1024"),
        ({"target": "t", "groupName": "   "}, "#/groupName", "must not be empty"),
        ({"target": "t", "userId": "a", "groupName": "g"}, "#/groupName", "second recipient"),
        ({"target": "t", "connectionId": "c", "userId": "a"}, "#/connectionId", "second recipient"),
        ({"tarket": "t"}, "#/tarket", "is not a field of Message; did you mean 'target'?"),
        ({"target": "t", "argument": []}, "#/argument", "; did you mean 'arguments'?"),
        ({"target": "t", "userID": "ann"}, "#/userID", "; did you mean 'userId'?"),
        ({"target": "t", "target" * 200: "t"}, "#/" + "target" * 200, "not a field of Message"),
        ({"target": "t", "verbose": True}, "#/verbose", "is not a field of Message"),
        ({"target": "t", "a/b~c": 1}, "#/a~1b~0c", "not a field"),
        ({"target": "t", "a` - at `$.b": 1}, "#/a` - at `$.b", "not a field"),
        ({"target": "t", "\ud800": 1}, "#", "surrogate"),
        ({"target": "t", "hub": "other"}, "#/hub", "not a hub"),
        ({"target": "t", "hub": 1}, "#/hub", "must be a string"),
        ({"target": "t", "excluded": "c"}, "#/excluded", "must be a list"),
        ({"target": "t", "excluded": ["c", 1]}, "#/excluded/1", "must be a string"),
        ({"target": "t", "userId": "a", "excluded": []}, "#/excluded", "goes with"),
    ],
)
def test_wrong_fields_are_named(message: object, pointer: str, said: str) -> None:
    ((where, detail),) = errors_of(json.dumps(message).encode())
    assert where == pointer
    assert said in detail


@pytest.mark.parametrize(
    ("action", "pointer", "said"),
    [
        ("add", "#", "must be a group action"),
        ({"userId": "a", "groupName": "g"}, "#/action", "is missing"),
        ({"action": "join", "userId": "a"}, "#/action", "must be add or remove or removeAll"),
        ({"action": "x - at `$.b`", "userId": "a"}, "#/action", "must be add or remove"),
        ({"action": None, "userId": "a"}, "#/action", "must be a string"),
        ({"action": "\ud800", "userId": "a"}, "#", "surrogate"),
        ({"action": "add", "groupName": "g"}, "#", "must name a userId or a connectionId"),
        ({"action": "add", "userId": "a"}, "#/groupName", "is missing"),
        ({"action": "remove", "connectionId": "a"}, "#/groupName", "is missing"),
        ({"action": "removeAll", "userId": "a", "groupName": "g"}, "#/groupName", "goes with"),
        (
            {"action": "add", "groupName": "g", "userId": "a", "connectionId": "c"},
            "#/connectionId",
            "second recipient",
        ),
        ({"action": "add", "groupName": "", "userId": "a"}, "#/groupName", "must not be empty"),
        (
            {"action": "add", "groupName": "g", "userId": "a", "ttl": "1"},
            "#/ttl",
            "must be a whole number",
        ),
        (
            {"action": "add", "groupName": "g", "userId": "a", "ttl": -1},
            "#/ttl",
            "must be at least 0",
        ),
        (
            {"action": "add", "groupName": "g", "userId": "a", "ttl": 2**31},
            "#/ttl",
            "must be at most 2147483647",
        ),
        ({"action": "add", "groupName": "g", "connectionId": "c", "ttl": 1}, "#/ttl", "goes with"),
        ({"action": "removeAll", "userId": "a", "ttl": 1}, "#/ttl", "goes with"),
        ({"action": "removeAll", "userId": "a", "target": "t"}, "#/target", "not a field"),
    ],
)
def test_wrong_fields_of_group_actions_are_named(action: object, pointer: str, said: str) -> None:
    ((where, detail),) = errors_of(json.dumps(action).encode(), GroupAction)
    assert where == pointer
    assert said in detail


def test_every_wrong_message_of_a_list_is_named() -> None:
    body = json.dumps([{"target": "a"}, {}, {"target": "b", "hub": "x"}]).encode()
    assert [pointer for pointer, _ in errors_of(body)] == ["#/1/target", "#/2/hub"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is not JSON"),
        (b"{", "line 1, column 2"),
        (b'{"target": NaN}', "NaN"),
        (b"\xff", "is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"target": "t", "arguments": [' + b"9" * 5000 + b"]}", "number with too many digits"),
        (b"[]", "1 to 1000 messages"),
        (b"[" + b",".join([b"{}"] * 1001) + b"]", "1 to 1000 messages"),
    ],
)
def test_bodies_that_cannot_be_read(body: bytes, said: str) -> None:
    ((pointer, detail),) = errors_of(body)
    assert pointer == "#"
    assert said in detail


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (b'{"target": "t", "userId": "ann", "userId": "bob"}', ["#/userId"]),
        (b'{"target": "t", "userId": "ann", "us\\u0065rId": "ann"}', ["#/userId"]),
        (b'{"target": "t", "a/b": 1, "a/b": 1}', ["#/a~1b"]),
        (
            b'[{"target": "t", "target": "t"}, {"target": "t"}, {"hub": "a", "hub": "b"}]',
            ["#/0/target", "#/2/hub"],
        ),
        (b'{"target": "t", "arguments": [1, {"a": [{"b": 1, "b": 2}]}]}', ["#/arguments/1/a/0/b"]),
        (
            b'{"target": "t", "arguments": [{"a": 1, "a": 2}, {"b": 1, "b": 2}]}',
            ["#/arguments/0/a"],
        ),
        (b'[{"target": "t"}, [{"a": 1, "a": 2}]]', ["#/1/0/a"]),
        (
            b'{"target": "t", "arguments": ['
            + b"[" * 900
            + b'{"a": 1, "a": 2}'
            + b"]" * 901
            + b"}",
            ["#/arguments" + "/0" * 901 + "/a"],
        ),
    ],
)
def test_a_member_that_comes_twice_is_named(body: bytes, pointers: list[str]) -> None:
    assert errors_of(body) == [(pointer, "comes twice") for pointer in pointers]


def test_members_of_different_objects_may_have_one_name() -> None:
    body = b'[{"target": "t", "arguments": [{"target": 1}, {"target": 2}]}, {"target": "t"}]'
    assert len(read_items(body, Message, HUBS)) == 2


def test_a_number_beyond_json_is_refused_at_its_field() -> None:
    ((pointer, _),) = errors_of(b'{"target": "t", "arguments": [1e999]}')
    assert pointer == "#/arguments"


def test_a_body_over_one_megabyte() -> None:
    fits = b'{"target": "t", "arguments": ["' + b"x" * (1024 * 1024 - 34) + b'"]}'
    assert len(fits) == 1024 * 1024
    assert read_items(fits, Message, HUBS)
    with pytest.raises(ProblemError) as caught:
        read_items(fits + b" ", Message, HUBS)
    assert caught.value.status == 413


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(st.dictionaries(st.sampled_from(["target", "arguments", "userId", "hub", "x"]), json_values))
def test_any_object_is_a_message_or_a_named_field(value: dict[str, object]) -> None:
    try:
        (message,) = read_items(json.dumps(value).encode(), Message, HUBS)
    except ProblemError as problem:
        assert problem.status == 400
        assert all(error["pointer"].startswith("#") for error in problem.errors)
    else:
        assert message.target == value["target"]


@given(
    st.dictionaries(
        st.sampled_from(["action", "groupName", "userId", "connectionId", "ttl", "x"]),
        json_values | st.sampled_from(["add", "remove", "removeAll"]),
    )
)
def test_any_object_is_a_group_action_or_a_named_field(value: dict[str, object]) -> None:
    try:
        (action,) = read_items(json.dumps(value).encode(), GroupAction, HUBS)
    except ProblemError as problem:
        assert problem.status == 400
        assert all(error["pointer"].startswith("#") for error in problem.errors)
    else:
        assert action.action == value["action"]


@given(
    st.recursive(
        st.sampled_from(
            ["12.50", "1e400", "-0", '"\\ud83d"', '"\\ud83d\\ude00"', '"ä"', "null", "01"]
        ),
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda each: f"[{', '.join(each)}]")
            | inner.map(lambda each: f'{{"a": {each}}}')
        ),
    ),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32-be"]),
)
def test_arguments_of_any_text_are_those_that_were_checked(value: str, encoding: str) -> None:
    assert_sendable_or_refused(f'{{"target": "t", "arguments": [{value}]}}'.encode(encoding))


@given(st.binary())
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    assert_sendable_or_refused(body)


def assert_sendable_or_refused(body: bytes) -> None:
    try:
        messages = read_items(body, Message, HUBS)
    except ProblemError as problem:
        assert problem.status == 400
    else:
        written = [json.loads(each) for each in arguments_as_written(body)]
        assert written == [list(each.arguments) for each in messages]
