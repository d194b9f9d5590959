"""An answer in JSON is made faster than any other, and is one like any other."""

from http import HTTPStatus

import azure.functions as func
import pytest
from azure.functions.http import HttpResponseConverter

from shared.functions.problems import json_response

HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}


def usual(body: str | bytes, status: int) -> func.HttpResponse:
    return func.HttpResponse(body, status_code=status, headers=HEADERS, mimetype="application/json")


@pytest.mark.parametrize(
    ("body", "status"), [('{"é":1}', 200), (b"[]", HTTPStatus.ACCEPTED), ("", 404)]
)
def test_the_worker_and_the_app_read_what_they_read_of_a_usual_answer(
    body: str | bytes, status: int
) -> None:
    ours, other = json_response(body, status), usual(body, status)
    assert isinstance(ours, func.HttpResponse)
    for answer in (ours, other):
        answer.headers.add("Set-Cookie", "a=1")
    assert list(ours.headers) == list(other.headers)
    encoded = [HttpResponseConverter.encode(each, expected_type=None) for each in (ours, other)]
    assert encoded[0] == encoded[1]
    assert "Set-Cookie" not in ours.headers
    assert (ours.status_code, ours.mimetype, ours.charset, ours.get_body()) == (
        *(other.status_code, other.mimetype, other.charset, other.get_body()),
    )


def test_headers_are_found_changed_and_listed_as_usual() -> None:
    ours, other = json_response("{}").headers, usual("{}", 200).headers
    for headers in (ours, other):
        assert "cache-CONTROL" in headers
        assert "ETag" not in headers
        headers["Cache-Control"] = "private"
        headers.add("ETag", '"1"')
        del headers["Content-Type"]
    assert list(ours.items()) == list(other.items())
    assert list(ours.items(lower=True)) == list(other.items(lower=True))
    assert list(ours) == list(other)
    assert "Content-Type" not in ours


def test_an_answer_that_is_changed_leaves_the_next_one_as_it_is() -> None:
    json_response("{}").headers["Cache-Control"] = "private"
    assert dict(json_response("{}").headers) == HEADERS
