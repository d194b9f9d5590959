"""The identity endpoint of App Service, over aiohttp.

Source: "REST endpoint reference" of managed identities (api-version 2019-08-01).
"""

import hmac
from http import HTTPStatus

from aiohttp import web

from ..errors import UnknownIdentityError
from ..state.service import Service

__all__ = ["MSI_PATH", "app_service_routes"]

MSI_PATH = "/msi/token"

_API_VERSION = "2019-08-01"


def app_service_routes(service: Service) -> list[web.RouteDef]:
    """Give the routes of the identity endpoint.

    Args:
        service: The state that they work on.
    """
    identity_header = service.config.identity_header.encode()

    async def token(request: web.Request) -> web.Response:
        service.activity.identity_requests += 1
        # aiohttp keeps bytes that are not UTF-8 as lone surrogates.
        given = request.headers.get("X-IDENTITY-HEADER", "").encode(errors="surrogateescape")
        if not hmac.compare_digest(given, identity_header):
            return _refused("X-IDENTITY-HEADER is missing or wrong.", HTTPStatus.UNAUTHORIZED)
        if request.query.get("api-version") != _API_VERSION:
            return _refused(f"api-version has to be {_API_VERSION}.")
        resource = request.query.get("resource", "").strip()
        if not resource:
            return _refused("The parameter resource is missing.")
        try:
            identity = service.identities.named_by(request.query)
        except UnknownIdentityError as error:
            return _refused(str(error))
        issued = service.tenant.issue(identity, resource)
        return web.json_response(
            {
                "access_token": issued.text,
                "expires_on": str(issued.expires_on),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": identity.client_id,
            },
            headers={"Cache-Control": "no-store"},
        )

    return [web.get(MSI_PATH, token)]


def _refused(message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> web.Response:
    return web.json_response({"statusCode": int(status), "message": message}, status=status)
