"""The negotiate functions."""

import functools
import json

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
    # Written once for each address, since the answer is the hot path.
    quoted = functools.lru_cache(maxsize=128)(json.dumps)

    @http_function("POST")
    async def answer(req: func.HttpRequest) -> func.HttpResponse:
        hub = settings.hub(req.route_params.get("hub"))
        access = await service.get_client_access_token(
            hub,
            user_id=user_id(negotiation.identity, req.headers),
            minutes_to_expire=negotiation.token_lifetime,
        )
        # A token has no character that JSON would escape.
        return json_response(f'{{"url":{quoted(access.url)},"accessToken":"{access.token}"}}')

    for name, route in (("negotiate", "negotiate"), ("negotiate_hub", "{hub}/negotiate")):
        routed = functions.route(route, auth_level=func.AuthLevel.ANONYMOUS)(answer)
        functions.function_name(name)(routed)
    return functions
