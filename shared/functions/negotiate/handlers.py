"""Answers a request for a connection."""

import functools
import json
from collections.abc import Callable, Mapping

import azure.functions as func

from ...aio import SignalRServiceClient
from ...errors import InvalidArgumentError
from ..http_function import HttpFunction
from ..problems import http_function, json_response
from .admission import Admission
from .caller import Caller

__all__ = ["negotiate_functions"]


def negotiate_functions(
    service: SignalRServiceClient,
    admission: Admission,
    can_refresh: Callable[[Caller], bool],
) -> Mapping[str, HttpFunction]:
    """Return the negotiate functions by their names: with a hub in the path and without.

    Args:
        service: Signs the client tokens.
        admission: Who may connect, and as what.
        can_refresh: Tells whether a caller may renew its sign-in.
    """
    # Written once for each address, since the answer is the hot path.
    quoted = functools.lru_cache(maxsize=128)(json.dumps)

    @http_function("POST")
    async def negotiate(req: func.HttpRequest) -> func.HttpResponse:
        hub = admission.hub(req)
        caller = await admission.identify(req.headers)
        chosen, connection, options, minutes, _ = await admission.decide(caller, hub, req)
        try:
            url, token, seconds = await service.get_client_access_token(
                chosen,
                user_id=connection.user_id,
                claims=connection.claims,
                minutes_to_expire=minutes,
                options=options,
            )
        except InvalidArgumentError as error:
            raise admission.refusal(error, caller, hub) from error
        lifetime = f',"tokenLifetimeSeconds":{seconds}' if can_refresh(caller) else ""
        # A token has no character that JSON would escape.
        return json_response(f'{{"url":{quoted(url)},"accessToken":"{token}"{lifetime}}}')

    return dict.fromkeys(("negotiate", "negotiate_hub"), HttpFunction(negotiate))
