"""Why a request was refused, beside what its answer says."""

from http import HTTPStatus

from aiohttp import hdrs, web

from ..authentication.callers import bearer_token
from ..authentication.unproven import unproven_claims
from ..state.journal import Refusal, Request
from ..state.resource import Resource
from ..state.service import Service

__all__ = ["refusal"]


def refusal(
    service: Service, resource: Resource, request: web.Request, noted: Request
) -> Refusal | None:
    """Tell what a refused request lacks, or give None where the answer says it all.

    Args:
        service: The state of the emulator.
        resource: The SignalR resource that was asked.
        request: What was refused.
        noted: What is known of it, with the status of its answer.
    """
    if noted.status == HTTPStatus.UNAUTHORIZED:
        token = bearer_token(request.headers.get(hdrs.AUTHORIZATION))
        token = token or request.query.get("access_token")
        claims = None if token is None else unproven_claims(token)
        return Refusal(token=claims, ahead=service.clock.offset)
    if noted.status == HTTPStatus.FORBIDDEN and noted.data_action and noted.allowed_by is None:
        return Refusal(roles=tuple(_roles(service, resource, noted)))
    return None


def _roles(service: Service, resource: Resource, noted: Request) -> list[tuple[str, str, str]]:
    """Give the assignments of the caller, and why each of them does not help."""
    assignments = service.role_assignments
    considered = []
    for each in assignments.of(noted.principal_id or ""):
        if not assignments.is_on(each):
            reason = "is switched off"
        elif not assignments.is_within(resource.config.resource_id, each.scope):
            reason = "is for another scope"
        else:
            reason = "does not have the data action"
        considered.append((each.role.name, each.scope, reason))
    return considered
