"""Entra's endpoints for apps that are no managed identity, as one aiohttp application.

Sources: Microsoft identity platform, "OAuth 2.0 client credentials flow" (parameters, reply, shape
of errors); OpenID Connect Discovery 1.0; MSAL for Python, authority.py (instance discovery).
"""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from ..errors import TokenRequestError
from ..faults.middleware import fault_middleware
from ..state.service import Service
from .admission import own_pages_only

__all__ = ["authority", "openid_routes"]

_TOKEN_PATH = "/{tenant}/oauth2/v2.0/token"  # noqa: S105 - a path
_CONFIGURATION_PATH = "/{tenant}/v2.0/.well-known/openid-configuration"
_LIFETIME = 3600 - 1
"""How long an application's token is valid, in seconds."""

_DEFAULT = "/.default"

type Handler = Callable[[web.Request], Awaitable[web.Response]]


def authority(service: Service) -> web.Application:
    """Make the application of the authority; azure-identity wants it behind TLS.

    Args:
        service: The state that it serves.
    """

    async def token(request: web.Request) -> web.Response:
        return await _token(service, request)

    app = web.Application(
        middlewares=[own_pages_only(service.config), fault_middleware(service.faults)]
    )
    app.add_routes(
        [
            web.get("/common/discovery/instance", _refusing(_instance)),
            web.post(_TOKEN_PATH, _refusing(token)),
            *openid_routes(service),
        ]
    )
    return app


def openid_routes(service: Service, authority_url: str | None = None) -> list[web.RouteDef]:
    """Give the routes of the tenant's discovery document and of its public keys.

    Args:
        service: The state that they work on.
        authority_url: Where the token endpoint is, without a trailing slash; None if it is where
            these routes are.
    """

    async def configuration(request: web.Request) -> web.Response:
        _check_tenant(service, request, "invalid_tenant")
        base_url = _base_url(request)
        return web.json_response(
            service.tenant.openid_configuration(base_url, authority_url or base_url)
        )

    async def key_set(request: web.Request) -> web.Response:
        _check_tenant(service, request, "invalid_tenant")
        return web.json_response(service.tenant.key_set())

    return [
        web.get(_CONFIGURATION_PATH, _refusing(configuration)),
        web.get("/{tenant}/discovery/v2.0/keys", _refusing(key_set)),
    ]


def _refusing(handler: Handler) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except TokenRequestError as error:
            return _refused(error)

    return handle


async def _token(service: Service, request: web.Request) -> web.Response:
    _check_tenant(service, request, "invalid_request")
    form = await _form(request)
    if form.get("grant_type") != "client_credentials":
        raise TokenRequestError(
            400, "unsupported_grant_type", 70003, "The grant_type is not supported."
        )
    clock = service.clock
    application = service.applications.authenticate(
        form,
        frozenset(
            _base_url(request) + _TOKEN_PATH.format(tenant=tenant)
            for tenant in (service.tenant.tenant_id, request.match_info["tenant"])
        ),
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


async def _form(request: web.Request) -> dict[str, str]:
    refused = TokenRequestError(
        400, "invalid_request", 900144, "The body has to be a form with a grant_type."
    )
    if request.content_type != "application/x-www-form-urlencoded":
        raise refused
    try:
        return dict(parse_qsl((await request.read()).decode(), keep_blank_values=True))
    except ValueError as error:
        raise refused from error


async def _instance(request: web.Request) -> web.Response:
    """Tell that the host that is asked about is this one, which is all that it knows."""
    refused = TokenRequestError(
        400, "invalid_instance", 50049, "The authorization_endpoint is not of this instance."
    )
    try:
        asked = urlsplit(request.query.get("authorization_endpoint", ""))
    except ValueError as error:
        raise refused from error
    tenant = asked.path.strip("/").partition("/")[0]
    if asked.scheme != "https" or asked.netloc != request.host or not tenant:
        raise refused
    return web.json_response(
        {
            "tenant_discovery_endpoint": _base_url(request)
            + _CONFIGURATION_PATH.format(tenant=tenant),
            "api-version": "1.1",
            "metadata": [
                {
                    "preferred_network": request.host,
                    "preferred_cache": request.host,
                    "aliases": [request.host],
                }
            ],
        }
    )


def _check_tenant(service: Service, request: web.Request, error: str) -> None:
    if not service.tenant.is_called(request.match_info["tenant"]):
        raise TokenRequestError(400, error, 90002, "The tenant was not found.")


def _base_url(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"


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
