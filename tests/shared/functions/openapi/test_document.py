import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shared.functions import BROADCAST, CONNECTIONS, GROUPS, HEALTH, NEGOTIATE, OPENAPI
from shared.functions.broadcast.body import read_items
from shared.functions.broadcast.groups import GroupAction
from shared.functions.broadcast.items import Item
from shared.functions.broadcast.messages import Message
from shared.functions.http_function import RoutedFunction
from shared.functions.openapi.document import document, document_text
from shared.functions.problems import ProblemError
from tests.shared.functions.broadcast.test_items import HUBS

REGISTERED = [
    RoutedFunction(name, route.replace(":served", ""))
    for routes in (NEGOTIATE, BROADCAST, GROUPS, CONNECTIONS, HEALTH, OPENAPI)
    for name, route in routes.items()
]
"""All but the upstream function, which the service calls and nobody else."""


def test_every_reference_and_parameter_is_there() -> None:
    described = document(REGISTERED, "openapi.json")
    text = document_text(REGISTERED, "openapi.json")
    references = set(re.findall(rb'"#/components/schemas/(\w+)"', text))
    assert {each.decode() for each in references} == set(described["components"]["schemas"])
    for path, operations in described["paths"].items():
        for operation in operations.values():
            in_path = {
                each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"
            }
            assert in_path == set(re.findall(r"\{(\w+)\}", path))


def test_only_functions_that_are_there_are_described() -> None:
    registered = [RoutedFunction("negotiate", "realtime/negotiate"), RoutedFunction("mine", "mine")]
    described = document(registered, "openapi.json")
    assert set(described["paths"]) == {"/realtime/negotiate"}
    assert "Message" not in described["components"]["schemas"]


def test_schemas_are_those_that_validate() -> None:
    schemas = document(REGISTERED, "openapi.json")["components"]["schemas"]
    assert schemas["Message"]["required"] == ["target"]
    assert schemas["Message"]["additionalProperties"] is False
    assert schemas["GroupAction"]["properties"]["action"]["enum"] == ["add", "remove", "removeAll"]
    assert schemas["GroupAction"]["properties"]["userId"]["maxLength"] == 1024


@pytest.mark.parametrize(
    ("path", "method", "expected"),
    [
        ("/negotiate", "post", {("hub", "query", False)}),
        ("/{hub}/negotiate", "post", {("hub", "path", True), ("hub", "query", False)}),
        (
            "/{hub}/refresh",
            "post",
            {
                ("hub", "path", True),
                ("hub", "query", False),
                ("X-SignalR-Connection-Token", "header", True),
            },
        ),
        ("/broadcast", "post", {("hub", "query", False)}),
        ("/groups", "post", {("hub", "query", False)}),
        (
            "/groups/{groupName}/connections",
            "get",
            {
                ("groupName", "path", True),
                ("groupName", "query", False),
                ("hub", "query", False),
                ("top", "query", False),
            },
        ),
    ],
)
def test_where_parameters_stand(
    path: str, method: str, expected: set[tuple[str, str, bool]]
) -> None:
    described = document(REGISTERED, "openapi.json")["paths"][path][method]["parameters"]
    assert {(each["name"], each["in"], each["required"]) for each in described} == expected


RECIPIENTS = ("userId", "groupName", "connectionId")
NAMES = st.sampled_from(["n", "", "n" * 1025])
FIELDS: dict[str, st.SearchStrategy[object]] = {
    "hub": st.just("chat"),
    "userId": NAMES,
    "groupName": NAMES,
    "connectionId": NAMES,
    "target": st.sampled_from(["t", "", 7]),
    "arguments": st.sampled_from([[], [1], {}]),
    "excluded": st.sampled_from([[], ["c"], ["c", 1], "c"]),
    "action": st.sampled_from(["add", "remove", "removeAll", "join"]),
    "ttl": st.sampled_from([0, 2**31 - 1, 2**31, -1, "1"]),
}


@pytest.mark.parametrize(
    ("item", "fields"),
    [
        (
            Message,
            ["hub", "target", "arguments", "userId", "groupName", "connectionId", "excluded"],
        ),
        (GroupAction, ["hub", "action", "userId", "groupName", "connectionId", "ttl"]),
    ],
)
def test_the_schema_allows_what_the_app_does(item: type[Item], fields: list[str]) -> None:
    described = document(REGISTERED, "openapi.json")
    schema = {**described, "$ref": f"#/components/schemas/{item.__name__}"}
    validator = Draft202012Validator(schema)
    seen = set()

    @settings(max_examples=1000, deadline=None, derandomize=True, database=None)
    @given(st.fixed_dictionaries({}, optional={each: FIELDS[each] for each in ["hub", *fields]}))
    def compare(value: dict[str, object]) -> None:
        try:
            read_items(json.dumps(value).encode(), item, HUBS)
        except ProblemError:
            is_accepted = False
        else:
            is_accepted = True
        assert validator.is_valid(value) is is_accepted
        seen.add(is_accepted)

    compare()
    assert seen == {True, False}
