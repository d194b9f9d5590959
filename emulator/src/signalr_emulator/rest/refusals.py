"""Why a request was refused, beside what its answer says."""

from http import HTTPStatus

from aiohttp import hdrs, web

from ..authentication.callers import bearer_token
from ..authentication.unproven import unproven_claims
from ..state.journal import Refusal
from ..state.resource import Resource
from ..state.service import Service
from .noted import ALLOWED_BY, DATA_ACTION, PRINCIPAL_ID

__all__ = ["refusal"]


def refusal(
    service: Service, resource: Resource, request: web.Request, status: int
) -> Refusal | None:
    """Tell what a refused request lacks, or give None where the answer says it all.

    Args:
        service: The state of the emulator.
        resource: The SignalR resource that was asked.
        request: What was refused.
        status: Status of the answer.
    """
    if status == HTTPStatus.UNAUTHORIZED:
        token = bearer_token(request.headers.get(hdrs.AUTHORIZATION))
        token = token or request.query.get("access_token")
        claims = None if token is None else unproven_claims(token)
        return Refusal(token=claims, ahead=service.clock.offset)
    if status == HTTPStatus.FORBIDDEN and DATA_ACTION in request and ALLOWED_BY not in request:
        return Refusal(roles=tuple(_roles(service, resource, request)))
    return None


def _roles(
    service: Service, resource: Resource, request: web.Request
) -> list[tuple[str, str, str]]:
    """Give the assignments of the caller, and why each of them does not help."""
    assignments = service.role_assignments
    considered = []
    for each in assignments.of(request.get(PRINCIPAL_ID, "")):
        if not assignments.is_on(each):
            reason = "is switched off"
        elif not assignments.is_within(resource.config.resource_id, each.scope):
            reason = "is for another scope"
        else:
            reason = "does not have the data action"
        considered.append((each.role.name, each.scope, reason))
    return considered
