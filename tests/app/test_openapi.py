import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from broadcast.body import read_items
from broadcast.groups import GroupAction
from broadcast.items import Item
from broadcast.messages import Message
from openapi.document import document, document_text
from problems import ProblemError
from tests.app.test_function_app import SETTINGS, run_python
from tests.app.test_items import SETTINGS as APP_SETTINGS

LOCAL = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}
UPSTREAM = "/upstream/{hub}/{category}/{event}"
"""Not for callers: the service calls it."""


def test_it_describes_every_function_and_who_needs_a_key() -> None:
    code = (
        "import json, function_app\n"
        "for each in function_app.app.get_functions():\n"
        "    print(each.get_raw_bindings()[0])\n"
    )
    ended = run_python(code, SETTINGS | LOCAL | {"SIGNALR_DEMO": "false"})
    triggers = [json.loads(line) for line in ended.stdout.splitlines()]
    keyed = {f"/{each['route']}": each["authLevel"] == "FUNCTION" for each in triggers}
    assert keyed.pop(UPSTREAM) is False
    assert keyed == {
        path: bool(operation["security"])
        for path, operations in document()["paths"].items()
        for operation in operations.values()
    }


def test_every_reference_and_parameter_is_there() -> None:
    described = document()
    references = set(re.findall(rb'"#/components/schemas/(\w+)"', document_text()))
    assert {each.decode() for each in references} == set(described["components"]["schemas"])
    for path, operations in described["paths"].items():
        for operation in operations.values():
            in_path = {
                each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"
            }
            assert in_path == set(re.findall(r"\{(\w+)\}", path))


def test_schemas_are_those_that_validate() -> None:
    schemas = document()["components"]["schemas"]
    assert schemas["Message"]["required"] == ["target"]
    assert schemas["Message"]["additionalProperties"] is False
    assert schemas["GroupAction"]["properties"]["action"]["enum"] == ["add", "remove", "removeAll"]
    assert schemas["GroupAction"]["properties"]["userId"]["maxLength"] == 1024


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
    schema = {**document(), "$ref": f"#/components/schemas/{item.__name__}"}
    validator = Draft202012Validator(schema)
    seen = set()

    @settings(max_examples=1000, deadline=None, derandomize=True, database=None)
    @given(st.fixed_dictionaries({}, optional={each: FIELDS[each] for each in ["hub", *fields]}))
    def compare(value: dict[str, object]) -> None:
        try:
            read_items(json.dumps(value).encode(), item, APP_SETTINGS)
        except ProblemError:
            is_accepted = False
        else:
            is_accepted = True
        assert validator.is_valid(value) is is_accepted
        seen.add(is_accepted)

    compare()
    assert seen == {True, False}
