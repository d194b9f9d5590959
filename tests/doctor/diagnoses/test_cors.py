import pytest

from doctor.diagnoses.cors import Host, judge_preflight
from shared.transport.flow import Response

ORIGIN = "https://contoso.com"
HOST = Host("the host", "--app-url", "allow {origin}", "allow credentials")
RIGHT = {
    "Access-Control-Allow-Origin": ORIGIN,
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Allow-Headers": "X-Requested-With, authorization",
}


@pytest.mark.parametrize(
    ("changed", "summary", "fix"),
    [
        ({"Access-Control-Allow-Origin": ""}, "does not let pages of https://contoso.com in", ""),
        ({"Access-Control-Allow-Origin": "*"}, "lets every origin in", "withCredentials: false"),
        ({"Access-Control-Allow-Origin": "https://b.com"}, "lets https://b.com in, and not", ""),
        ({"Access-Control-Allow-Credentials": ""}, "but not with credentials", "allow credentials"),
        (
            {"Access-Control-Allow-Headers": "authorization"},
            "does not let pages send x-requested-with",
            "gateway",
        ),
    ],
)
def test_answers_to_a_preflight(changed: dict[str, str], summary: str, fix: str) -> None:
    answer = Response(204, {**RIGHT, **changed})
    said = judge_preflight(answer, ORIGIN, ["authorization", "x-requested-with"], HOST)
    assert said is not None
    assert summary in said.summary
    assert (fix or f"allow {ORIGIN}") in said.fix


def test_an_answer_that_lets_a_page_in() -> None:
    answer = Response(204, RIGHT)
    assert judge_preflight(answer, ORIGIN, ["authorization", "x-requested-with"], HOST) is None
