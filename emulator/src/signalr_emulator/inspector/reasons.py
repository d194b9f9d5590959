"""Why a request was refused, in plain words."""

from datetime import timedelta
from http import HTTPStatus

from ..access_control.filters import DefinitionFilter
from ..authentication.callers import ENTRA_AUDIENCES
from ..documents.json_text import Json, decode
from ..errors import JsonError
from ..state.journal import Request
from ..state.service import Service

__all__ = ["reason"]

_ENTRA = "RS256"


def reason(service: Service, request: Request) -> dict[str, Json] | None:
    """Tell why a request was refused, or give None where it was not.

    Returns:
        `because` as sentences; `roles` of the caller, each with `role`, `scope` and `problem`;
        `rolesThatHelp` by name; `token` with the claims that matter, as they came.
    """
    if request.status < HTTPStatus.BAD_REQUEST:
        return None
    said = _message(request.answer)
    because = [said] if said else []
    if request.is_disturbed:
        because.insert(0, "A fault that was added to the emulator has answered.")
    found: dict[str, Json] = {"because": [*because]}
    refusal = request.refusal
    if refusal is None or request.is_disturbed:
        return found if because else None
    if refusal.token is not None:
        hints = _about_token(request, refusal.token, said, refusal.ahead)
        return {"because": [*because, *hints], "token": dict(refusal.token)}
    if request.status != HTTPStatus.FORBIDDEN:
        return found
    action = request.data_action or ""
    helping = [
        role.name
        for role in service.roles.definitions(_scope(service, request), DefinitionFilter())
        if role.permits(action)
    ]
    return {
        "because": [f"No role of the caller has {action} at {_scope(service, request)}."],
        "roles": [
            {"role": role, "scope": scope, "problem": problem}
            for role, scope, problem in refusal.roles
        ],
        "rolesThatHelp": [*helping],
    }


def _about_token(request: Request, token: object, said: str, ahead: float) -> list[Json]:
    """Say what the claims of a token would have to be."""
    claims = token if isinstance(token, dict) else {}
    hints: list[Json] = []
    if "audience" in said:
        hints.append(f"Its aud is {claims.get('aud')}, and has to be {_audience(request, claims)}.")
    if "expired." in said and isinstance(claims.get("exp"), int | float):
        late = _span(request.time - float(claims["exp"]))
        hints.append(f"Its exp was {late} ago, by the emulator's clock.")
    if "not valid yet" in said and isinstance(claims.get("nbf"), int | float):
        early = _span(float(claims["nbf"]) - request.time)
        hints.append(f"Its nbf is {early} ahead, by the emulator's clock.")
    if ("key" in said or "signature" in said) and "kid" in claims:
        hints.append(
            f"Its kid is {claims['kid']}: that key has ended, was revoked, or is no key of this"
            " service."
        )
    if ahead:
        hints.append(
            f"The emulator's clock was {_span(ahead)} ahead of real time, which the app does not"
            " know. Reset the clock, and what the app makes is valid again."
        )
    return hints


def _audience(request: Request, claims: dict[str, Json]) -> str:
    if claims.get("alg") == _ENTRA:
        return min(ENTRA_AUDIENCES)
    if request.path.startswith("/client"):
        return f"the endpoint and /client/?hub={request.hub}"
    return f"the endpoint and {request.path}"


def _scope(service: Service, request: Request) -> str:
    return next(
        each.config.resource_id
        for each in service.resources
        if each.config.name == request.resource
    )


def _message(answer: bytes) -> str:
    """Give the text of an ErrorDetail, or of an answer in plain text."""
    try:
        document = decode(answer)
    except JsonError:
        return answer.decode(errors="replace")
    message = document.get("message") if isinstance(document, dict) else None
    return message if isinstance(message, str) else ""


def _span(seconds: float) -> str:
    return str(timedelta(seconds=max(0, round(seconds))))
