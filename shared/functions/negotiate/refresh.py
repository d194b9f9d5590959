"""Answers a client that renews its sign-in and keeps its connection.

Request, answer and errors are those that Microsoft.AspNetCore.SignalR.Client 11.0.0 and an app
server with Azure.SignalR 1.34.0 were seen to exchange: the connection is named by a header, where
every announcement has the query. That client reads nothing of a refusal but its status.
"""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import azure.functions as func

from ...aio import SignalRServiceClient
from ...errors import ConnectionNotFoundError, InvalidArgumentError, SignalRError
from ...telemetry import log_fields
from ..address import query_pairs
from ..problems import Handler, ProblemError, http_function, json_response, problem_for
from .admission import Admission
from .caller import unauthorized

__all__ = ["refresh_handlers"]

_logger = logging.getLogger(__name__)

_CONNECTION_TOKEN: Final = "X-SignalR-Connection-Token"  # noqa: S105  the name of a header

_WORDS: Final = {
    HTTPStatus.UNAUTHORIZED: "invalid_token",
    HTTPStatus.FORBIDDEN: "permission_change_rejected",
    HTTPStatus.INTERNAL_SERVER_ERROR: "internal_server_error",
    HTTPStatus.SERVICE_UNAVAILABLE: "internal_server_error",
}
"""What Azure.SignalR 1.34.0 calls a refusal in the member `error`, by its status."""


def refresh_handlers(
    service: SignalRServiceClient, admission: Admission, *, is_on: bool
) -> Mapping[str, Handler]:
    """Return the handlers that renew a sign-in, by the names of their functions.

    Args:
        service: Renews the authentication of connections.
        admission: Who may connect, and as what.
        is_on: Whether there is anything to renew here.
    """

    async def renewed(req: func.HttpRequest) -> func.HttpResponse:
        if not is_on:
            raise ProblemError(HTTPStatus.NOT_FOUND, "This app renews no sign-ins.")
        connection_token = _connection_token(req)
        hub = admission.hub(req)
        caller = await admission.identify(req.headers)
        if caller.user_id is None:
            raise unauthorized("Log in first: an anonymous caller has nothing to renew.")
        admitted = await admission.decide(caller, hub, req)
        connection = admitted.connection
        try:
            access = await service.refresh_connection_authentication(
                admitted.hub,
                connection_token,
                expires_on=admitted.ends_at,
                claims=connection.claims,
                user_id=connection.user_id,
                options=admitted.options,
                minutes_to_expire=admitted.minutes,
            )
        except InvalidArgumentError as error:
            raise admission.refusal(error, caller, hub) from error
        token = json.dumps(access.token)
        return json_response(f'{{"accessToken":{token},"tokenLifetimeSeconds":{access.lifetime}}}')

    @http_function("POST")
    async def refresh(req: func.HttpRequest) -> func.HttpResponse:
        try:
            return await renewed(req)
        except ProblemError as problem:
            raise _named(problem) from problem
        except SignalRError as error:
            _logger.warning("refresh: %s", error, extra=log_fields(error))
            raise _refusal(error) from error
        except Exception as error:
            # A policy that fails is no answer that a client could read.
            _logger.exception("refresh: the policy has failed")
            detail = "The app cannot renew this sign-in. Its log says why."
            raise _named(ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, detail)) from error

    return dict.fromkeys(("refresh", "refresh_hub"), refresh)


def _connection_token(req: func.HttpRequest) -> str:
    """Return the secret token that names the connection.

    The bindings' drafts have it in the query, from where it gets into access logs.

    Raises:
        ProblemError: 400, there is none.
    """
    given: str | None = req.headers.get(_CONNECTION_TOKEN)
    if given is None:
        given = ",".join(value for name, value in query_pairs(req) if name.lower() == "id")
    if not given.strip():
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            f"The header {_CONNECTION_TOKEN} is missing: it names the connection, by the"
            " connectionToken of the service's negotiation.",
            extensions={"error": "missing_connection_token"},
        )
    return given.strip()


def _refusal(error: SignalRError) -> ProblemError:
    """Return what a client is told of an error.

    What may pass is a 503 with `Retry-After`, which a client of one's own can wait for;
    Microsoft's takes it like the 500 of the SDK for .NET, and asks no second time for either.
    """
    problem = problem_for(error)
    if isinstance(error, ConnectionNotFoundError):
        problem.extensions = {"error": "connection_not_found"}
    if problem.status == HTTPStatus.BAD_GATEWAY:
        problem.status = HTTPStatus.INTERNAL_SERVER_ERROR
    return _named(problem)


def _named(problem: ProblemError) -> ProblemError:
    word = _WORDS.get(problem.status)
    if word is not None:
        problem.extensions = {"error": word, **problem.extensions}
    return problem
