"""The token endpoint of the Instance Metadata Service, over aiohttp.

Source: "Use managed identities on a virtual machine to acquire an access token" (api-version
2018-02-01): parameters, the `Metadata` header and the shape of errors.
"""

from http import HTTPStatus

from aiohttp import web

from ..entra.tenant import MANAGED_IDENTITY_LIFETIME
from ..errors import UnknownIdentityError
from ..state.service import Service

__all__ = ["imds_routes"]

_PATH = "/metadata/identity/oauth2/token"

_API_VERSION = "2018-02-01"


def imds_routes(service: Service) -> list[web.RouteDef]:
    """Give the routes of the metadata service.

    Args:
        service: The state that they work on.
    """

    async def token(request: web.Request) -> web.Response:
        service.activity.identity_requests += 1
        problem = _problem(request)
        if problem is not None:
            return _refused(problem)
        try:
            identity = service.identities.named_by(request.query)
        except UnknownIdentityError:
            return _refused("Identity not found")
        resource = request.query["resource"]
        issued = service.tenant.issue(identity, resource)
        return web.json_response(
            {
                "access_token": issued.text,
                "client_id": identity.client_id,
                "expires_in": str(MANAGED_IDENTITY_LIFETIME),
                "expires_on": str(issued.expires_on),
                "ext_expires_in": str(MANAGED_IDENTITY_LIFETIME),
                "not_before": str(issued.not_before),
                "resource": resource,
                "token_type": "Bearer",
            },
            headers={"Cache-Control": "no-store"},
        )

    return [web.get(_PATH, token)]


def _problem(request: web.Request) -> str | None:
    if request.headers.get("Metadata") != "true":
        return "Required metadata header not specified"
    if request.query.get("api-version") != _API_VERSION:
        return f"api-version has to be {_API_VERSION}"
    if not request.query.get("resource", "").strip():
        return "The parameter resource is missing"
    return None


def _refused(description: str) -> web.Response:
    return web.json_response(
        {"error": "invalid_request", "error_description": description},
        status=HTTPStatus.BAD_REQUEST,
    )
