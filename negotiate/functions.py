"""The negotiate functions."""

from http import HTTPStatus

import azure.functions as func

from negotiate.caller import user_id
from negotiate.settings import NegotiateSettings
from problems import http_function, json_response
from shared.aio import SignalRServiceClient
from shared.settings import Settings

__all__ = ["blueprint"]


def blueprint(
    service: SignalRServiceClient, settings: Settings, negotiation: NegotiateSettings
) -> func.Blueprint:
    """Return the negotiate functions for the default hub and for a hub in the path.

    Args:
        service: Signs the client tokens.
        settings: Which hubs there are.
        negotiation: Who may connect, and for how long.
    """
    functions = func.Blueprint()
    urls = {hub: service.client_url(hub) for hub in settings.hubs}

    async def answer(req: func.HttpRequest, name: str | None) -> func.HttpResponse:
        hub = settings.hub(name)
        token = await service.get_client_access_token(
            hub,
            user_id=user_id(negotiation.identity, req.headers),
            minutes_to_expire=negotiation.token_lifetime,
        )
        return json_response(HTTPStatus.OK, {"url": urls[hub], "accessToken": token})

    @functions.route("negotiate", auth_level=func.AuthLevel.ANONYMOUS)
    @http_function("POST")
    async def negotiate(req: func.HttpRequest) -> func.HttpResponse:
        return await answer(req, None)

    @functions.route("{hub}/negotiate", auth_level=func.AuthLevel.ANONYMOUS)
    @http_function("POST")
    async def negotiate_hub(req: func.HttpRequest) -> func.HttpResponse:
        return await answer(req, req.route_params["hub"])

    return functions
