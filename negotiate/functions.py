"""The negotiate functions."""

import functools
import json
import time

import azure.functions as func

from negotiate.caller import INVALID_TOKEN, NO_CLAIMS, Caller, CallerIdentity, unauthorized
from negotiate.claims import selected_claims
from negotiate.policy import Connection, Policy
from negotiate.settings import NegotiateSettings
from problems import http_function, json_response
from shared.aio import SignalRServiceClient
from shared.settings import Settings

__all__ = ["blueprint"]


def blueprint(
    service: SignalRServiceClient,
    settings: Settings,
    negotiation: NegotiateSettings,
    policy: Policy,
) -> func.Blueprint:
    """Return the negotiate functions for the default hub and for a hub in the path.

    Args:
        service: Signs the client tokens.
        settings: Which hubs there are.
        negotiation: Who may connect, and for how long.
        policy: The app's own rules.
    """
    functions = func.Blueprint()
    identity = CallerIdentity(negotiation)
    # Written once for each address, since the answer is the hot path.
    quoted = functools.lru_cache(maxsize=128)(json.dumps)

    @http_function("POST")
    async def negotiate(req: func.HttpRequest) -> func.HttpResponse:
        hub = settings.hub(req.route_params.get("hub"))
        caller = await identity.identify(req.headers)
        decided = policy(caller, hub, _offered(caller, negotiation))
        connection = decided if isinstance(decided, Connection) else await decided
        access = await service.get_client_access_token(
            hub,
            user_id=connection.user_id,
            claims=connection.claims,
            minutes_to_expire=_within_session(connection.minutes_to_expire, caller),
            options=connection.options,
        )
        # A token has no character that JSON would escape.
        return json_response(f'{{"url":{quoted(access.url)},"accessToken":"{access.token}"}}')

    for name, route in (("negotiate", "negotiate"), ("negotiate_hub", "{hub}/negotiate")):
        routed = functions.route(route, auth_level=func.AuthLevel.ANONYMOUS)(negotiate)
        functions.function_name(name)(routed)
    return functions


def _offered(caller: Caller, negotiation: NegotiateSettings) -> Connection:
    claims = selected_claims(negotiation.claims, caller.claims) if negotiation.claims else NO_CLAIMS
    return Connection(caller.user_id, claims, negotiation.token_lifetime)


def _within_session(minutes: float, caller: Caller) -> float:
    """Shorten a lifetime to what is left of the caller's own session."""
    if caller.session_end is None:
        return minutes
    left = (caller.session_end - time.time()) / 60
    if left <= 0:
        raise unauthorized("The session is over. Log in again.", INVALID_TOKEN)
    return min(minutes, left)
