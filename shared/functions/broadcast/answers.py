"""What a caller is told about a list of items: an outcome for each."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Literal

import azure.functions as func
import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ..problems import ProblemError, json_response, problem_for
from .delivery import Outcome

__all__ = ["Result", "Results", "answer"]

_encode = msgspec.json.Encoder().encode


class Result(Struct, frozen=True):
    """What became of one item."""

    status: Annotated[
        Literal["accepted", "partial", "refused", "failed"],
        Meta(
            description="`partial`: done by some of several SignalR services. `refused`: another "
            "try would end the same way. `failed`: try again later."
        ),
    ]
    detail: Annotated[str | UnsetType, Meta(description="Why it was not accepted.")] = UNSET


class Results(Struct, frozen=True):
    """An outcome for each item, in their order."""

    results: list[Result]


def answer(outcomes: Sequence[Outcome], partial: str) -> func.HttpResponse:
    """Answer 202 when all are accepted, 207 when some are, and a problem when none is.

    Args:
        outcomes: What became of each item.
        partial: What a caller is told of one that some of several services have accepted.
    """
    results = Results([_result(outcome, partial) for outcome in outcomes])
    first_error = next((outcome.error for outcome in outcomes if outcome.error), None)
    if first_error is None:
        return json_response(_encode(results), HTTPStatus.ACCEPTED)
    if any(outcome.error is None or outcome.is_partial for outcome in outcomes):
        return json_response(_encode(results), HTTPStatus.MULTI_STATUS)
    problem = problem_for(first_error)
    return ProblemError(
        problem.status,
        problem.detail,
        headers=problem.headers,
        extensions=msgspec.to_builtins(results),
    ).response()


def _result(outcome: Outcome, partial: str) -> Result:
    if outcome.error is None:
        return _ACCEPTED
    if outcome.is_partial:
        return Result("partial", partial)
    problem = problem_for(outcome.error)
    may_pass = problem.status == HTTPStatus.SERVICE_UNAVAILABLE
    return Result("failed" if may_pass else "refused", problem.detail)


_ACCEPTED = Result("accepted")
