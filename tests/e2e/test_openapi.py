"""Holds the running app against its own description, with requests that nobody would think of."""

from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.e2e.processes import PATIENCE, FunctionApp

DEPTH = settings().max_examples // 100
"""How often the usual number of requests is made: once, unless a profile asks for more examples."""

EXAMPLES = 60 * DEPTH
LONGEST_URL = 8000
"""A longer one is refused by the host, before the app."""

CHECKS = [
    status_code_conformance,
    response_headers_conformance,
    content_type_conformance,
    response_schema_conformance,
    allow_header_conformance,
]


def test_answers_conform_to_the_description(
    anonymous_app: FunctionApp, record_property: Callable[[str, object], None]
) -> None:
    url = f"{anonymous_app.url}/openapi.json"
    schema: Any = schemathesis.openapi.from_url(url)
    # A relative URL counts from the description's address; the library takes the host's root.
    base_url = urljoin(url, schema.raw_schema["servers"][0]["url"]).rstrip("/")
    assert base_url == anonymous_app.url
    schema.config.update(base_url=base_url)
    schema.validate()
    operations = [result.ok() for result in schema.get_all_operations()]
    # All but the description itself.
    assert len(operations) == 13
    with requests.Session() as session:
        seen = {each.label: statuses(each, anonymous_app.url, session) for each in operations}
    record_property("requests", sum(each.total() for each in seen.values()))
    # Fuzzing that is only ever refused, or only ever served, would show nothing.
    assert {202, 400} <= seen["POST /broadcast"].keys()
    assert {202, 400} <= seen["POST /groups"].keys()
    assert {200, 400} <= seen["GET /groups/{groupName}/connections"].keys()
    assert {204, 400} <= seen["DELETE /connections/{connectionId}"].keys()
    assert {404, 400} <= seen["HEAD /users/{userId}"].keys()


def statuses(
    operation: Any,  # noqa: ANN401 - the fuzzer has no types
    url: str,
    session: requests.Session,
) -> Counter[int]:
    """Fuzz one operation, and give the statuses that came."""
    seen: Counter[int] = Counter()
    wanted = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    unwanted = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @settings(
        max_examples=EXAMPLES,
        derandomize=DEPTH == 1,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=st.one_of(wanted, unwanted),
        hub=st.sampled_from(["chat", "News", "other", None]),
    )
    def fuzz(case: Any, hub: str | None) -> None:  # noqa: ANN401 - as above
        if hub is not None:
            choose_hub(case, hub)
            agree(case)
        response = case.call(base_url=url, session=session, timeout=PATIENCE)
        assume(len(response.request.url) < LONGEST_URL)
        seen[response.status_code] += 1
        assert response.status_code < 500
        case.validate_response(response, checks=CHECKS)

    fuzz()
    return seen


def choose_hub(case: Any, hub: str) -> None:  # noqa: ANN401 - as above
    """Name one of the app's hubs, which the fuzzer does not hit by chance."""
    if "hub" in case.path_parameters:
        case.path_parameters["hub"] = hub
    elif isinstance(case.body, dict):
        case.body["hub"] = hub
    elif case.query:
        case.query["hub"] = hub


def agree(case: Any) -> None:  # noqa: ANN401 - as above
    """Let the query repeat what the path names, where the fuzzer lets it name something else."""
    for name in case.query.keys() & case.path_parameters.keys():
        case.query[name] = case.path_parameters[name]


def test_a_caller_reads_it_without_a_key(anonymous_app: FunctionApp) -> None:
    answer = requests.get(f"{anonymous_app.url}/openapi.json", timeout=PATIENCE)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["openapi"].startswith("3.1")


@pytest.mark.parametrize("name", ["x-functions-key", "code"])
def test_the_key_is_described(anonymous_app: FunctionApp, name: str) -> None:
    described = requests.get(f"{anonymous_app.url}/openapi.json", timeout=PATIENCE).json()
    schemes = described["components"]["securitySchemes"]
    assert name in {each["name"] for each in schemes.values()}
