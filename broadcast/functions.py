"""The broadcast function."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

import azure.functions as func

from broadcast.delivery import Outcome, deliver
from broadcast.messages import parse_messages
from problems import ProblemError, http_function, json_response, problem_for
from shared.aio import SignalRServiceClient
from shared.settings import Settings

__all__ = ["blueprint"]

_PARTIAL: Final = (
    "Clients at some of the app's SignalR services do not get the message. "
    "Sent again, it would reach the others twice."
)


def blueprint(service: SignalRServiceClient, settings: Settings) -> func.Blueprint:
    """Return the broadcast function.

    Args:
        service: Sends the messages.
        settings: Which hubs there are.
    """
    functions = func.Blueprint()

    @functions.route("broadcast", auth_level=func.AuthLevel.FUNCTION)
    @http_function("POST")
    async def broadcast(req: func.HttpRequest) -> func.HttpResponse:
        return _answer(await deliver(service, parse_messages(req.get_body(), settings)))

    return functions


def _answer(outcomes: Sequence[Outcome]) -> func.HttpResponse:
    """Answer 202 when all are accepted, 207 when some are, and a problem when none is."""
    results = [_result(outcome) for outcome in outcomes]
    first_error = next((outcome.error for outcome in outcomes if outcome.error), None)
    if first_error is None:
        return json_response(json.dumps({"results": results}), HTTPStatus.ACCEPTED)
    if any(outcome.error is None or outcome.is_partial for outcome in outcomes):
        return json_response(json.dumps({"results": results}), HTTPStatus.MULTI_STATUS)
    problem = problem_for(first_error)
    return ProblemError(
        problem.status, problem.detail, headers=problem.headers, extensions={"results": results}
    ).response()


def _result(outcome: Outcome) -> dict[str, str]:
    if outcome.error is None:
        return {"status": "accepted"}
    if outcome.is_partial:
        return {"status": "partial", "detail": _PARTIAL}
    return {"status": "failed", "detail": problem_for(outcome.error).detail}
