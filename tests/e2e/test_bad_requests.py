"""What a caller is told about a request that cannot be served."""

import json
from collections.abc import Mapping

import pytest
import requests

from tests.e2e.processes import PATIENCE, FunctionApp

JSON = {"Content-Type": "application/json"}


def send(
    app: FunctionApp, body: bytes, method: str = "POST", path: str = "broadcast"
) -> requests.Response:
    return requests.request(method, f"{app.url}/{path}", data=body, headers=JSON, timeout=PATIENCE)


def assert_problem(answer: requests.Response, status: int) -> Mapping[str, object]:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, object] = answer.json()
    assert problem["type"] == "about:blank"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    return problem


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (b"", ["#"]),
        (b'{"target": ', ["#"]),
        (b'{"arguments": []}', ["#/target"]),
        (b'{"target": 7}', ["#/target"]),
        (b'{"target": "t", "arguments": {}}', ["#/arguments"]),
        (b'{"target": "t", "userId": ["ann"]}', ["#/userId"]),
        (json.dumps({"target": "t", "userId": "u" * 1025}).encode(), ["#/userId"]),
        (json.dumps({"target": "t", "groupName": "g" * 1025}).encode(), ["#/groupName"]),
        (b'{"target": "t", "userId": "a", "connectionId": "c"}', ["#/connectionId"]),
        (b'[{"target": "t"}, {"target": "t", "hub": "x"}, 1]', ["#/1/hub", "#/2"]),
    ],
)
def test_the_field_is_named(anonymous_app: FunctionApp, body: bytes, pointers: list[str]) -> None:
    problem = assert_problem(send(anonymous_app, body), 400)
    errors = problem["errors"]
    assert isinstance(errors, list)
    assert [error["pointer"] for error in errors] == pointers
    assert all(error["detail"] for error in errors)


def test_a_misspelt_field_is_asked_about(anonymous_app: FunctionApp) -> None:
    problem = assert_problem(send(anonymous_app, b'{"tarket": "newMessage"}'), 400)
    said = "is not a field of Message; did you mean 'target'?"
    assert problem["errors"] == [{"pointer": "#/tarket", "detail": said}]
    assert problem["detail"] == f"The request cannot be read: #/tarket {said}"


def test_a_body_over_one_megabyte(anonymous_app: FunctionApp) -> None:
    body = json.dumps({"target": "t", "arguments": ["x" * 1024 * 1024]}).encode()
    assert_problem(send(anonymous_app, body), 413)


@pytest.mark.parametrize("path", ["broadcast", "negotiate", "chat/negotiate"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_wrong_method(anonymous_app: FunctionApp, path: str, method: str) -> None:
    answer = send(anonymous_app, b"", method, path)
    assert_problem(answer, 405)
    assert answer.headers["Allow"] == "POST"


def test_health(anonymous_app: FunctionApp) -> None:
    answer = requests.get(f"{anonymous_app.url}/health", timeout=PATIENCE)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert requests.head(f"{anonymous_app.url}/health", timeout=PATIENCE).status_code == 200
