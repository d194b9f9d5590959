"""Why sign-ins are not renewed, and how to fix it."""

from dataclasses import replace
from http import HTTPStatus
from typing import Final, TypeGuard

from shared.rest import operations as op
from shared.settings.endpoint import Endpoint
from shared.transport.flow import Response

from ..finding import Diagnosis
from ..network import Outcome
from .app import explain_app
from .commands import emulator_option, function_app

__all__ = ["explain_absence", "explain_missing_role", "explain_no_refresh", "is_absence"]

_ABSENT: Final = frozenset(
    {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.BAD_REQUEST}
)
"""The connection, the route or the API version is not known."""


def is_absence(outcome: Outcome | None) -> TypeGuard[Response]:
    """Tell whether the service does not know the operation, or says so of a connection of its own.

    Args:
        outcome: What came of the refresh of a connection that the service has just negotiated.
    """
    return isinstance(outcome, Response) and outcome.status in _ABSENT


def explain_absence(said: str, endpoint: Endpoint) -> Diagnosis:
    """Say that the service has no authentication refresh, and what follows.

    Args:
        said: By what the service shows it.
        endpoint: The service.
    """
    off = function_app("config appsettings set", "--settings NEGOTIATE_REFRESH=false")
    return Diagnosis(
        f"the service renews no sign-ins: {said}",
        f"It is off, or REST API version {op.REFRESH_AUTH.api_version} is not known. Clients stay"
        " connected, unless NEGOTIATE_CLOSE_ON_EXPIRATION=true\n"
        f"{off}   # until then" + emulator_option(endpoint, "--authentication-refresh"),
    )


def explain_missing_role(diagnosis: Diagnosis) -> Diagnosis:
    """Add which role a refresh takes beside that of a negotiation.

    Args:
        diagnosis: What is missing.
    """
    return replace(
        diagnosis,
        fix=f"{diagnosis.fix}\n"
        "'SignalR App Server' is enough to negotiate and to renew; a custom role needs"
        f" {op.REFRESH_AUTH.permission} beside {op.ACCESS_KEY.permission}",
    )


def explain_no_refresh(answer: Response, hub: str, base_path: str) -> Diagnosis:
    """Say why the app renews no sign-ins.

    Args:
        answer: What came to a request that names no connection.
        hub: Name of the hub.
        base_path: What the paths of the app's functions begin with: `/api`, or "".
    """
    if answer.status != HTTPStatus.NOT_FOUND:
        return explain_app(answer, f"{hub}/refresh", base_path)
    return Diagnosis(
        f"404: the running app negotiates, and has no function at {base_path}/{hub}/refresh",
        "func azure functionapp publish <function app>\n"
        "Routes of your own: refresh and refresh_hub need theirs",
    )
