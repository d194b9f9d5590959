"""Entra's token endpoint for client credentials, over aiohttp.

Source: Microsoft identity platform, "OAuth 2.0 client credentials flow": parameters, reply, and the
shape of errors.
"""

from aiohttp import web

from signalr_emulator.errors import TokenRequestError
from signalr_emulator.service import Service

__all__ = ["token_endpoint_routes"]

_PATH = "/{tenant}/oauth2/v2.0/token"
_LIFETIME = 3600 - 1
"""How long an application's token is valid, in seconds."""

_DEFAULT = "/.default"


def token_endpoint_routes(service: Service) -> list[web.RouteDef]:
    """Give the route of the token endpoint.

    Args:
        service: The state that it works on.
    """

    async def token(request: web.Request) -> web.Response:
        try:
            return await _token(service, request)
        except TokenRequestError as error:
            return _refused(error)

    return [web.post(_PATH, token)]


async def _token(service: Service, request: web.Request) -> web.Response:
    tenant_id = service.tenant.tenant_id
    if request.match_info["tenant"].casefold() != tenant_id.casefold():
        raise TokenRequestError(400, "invalid_request", 90002, "The tenant was not found.")
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    if form.get("grant_type") != "client_credentials":
        raise TokenRequestError(
            400, "unsupported_grant_type", 70003, "The grant_type is not supported."
        )
    path = f"/{tenant_id}/oauth2/v2.0/token"
    clock = service.clock
    application = service.applications.authenticate(
        form,
        frozenset((f"{request.scheme}://{request.host}{path}",)),
        # A client signs its assertion on its own clock, which the emulator's may be ahead of.
        clock.now() - clock.offset,
    )
    resource = form.get("scope", "").removesuffix(_DEFAULT)
    if not resource or resource == form.get("scope"):
        raise TokenRequestError(
            400, "invalid_scope", 1002012, "The scope has to be one resource with /.default."
        )
    acr = "2" if "client_assertion" in form else "1"
    issued = service.tenant.issue_to_application(application, resource, _LIFETIME, acr=acr)
    return web.json_response(
        {
            "token_type": "Bearer",
            "expires_in": _LIFETIME,
            "ext_expires_in": _LIFETIME,
            "access_token": issued.text,
        },
        headers={"Cache-Control": "no-store"},
    )


def _refused(error: TokenRequestError) -> web.Response:
    return web.json_response(
        {
            "error": error.error,
            "error_description": f"AADSTS{error.number}: {error}",
            "error_codes": [error.number],
        },
        status=error.status,
        headers={"Cache-Control": "no-store"},
    )
