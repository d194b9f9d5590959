"""Answers a request for a connection."""

import functools
import json
import logging
import time
from collections.abc import Awaitable, Mapping
from http import HTTPStatus

import azure.functions as func

from ...aio import SignalRServiceClient
from ...errors import InvalidArgumentError
from ...settings.hubs import Hubs
from ...settings.names import check_user_id
from ...telemetry.log import log_fields
from ..address import requested_hub
from ..http_function import HttpFunction
from ..problems import ProblemError, http_function, json_response
from .caller import INVALID_TOKEN, NO_CLAIMS, Caller, CallerIdentity, unauthorized
from .claims import selected_claims
from .policy import Connection, Policy
from .settings import NegotiateSettings

__all__ = ["negotiate_functions"]

_logger = logging.getLogger(__name__)


def negotiate_functions(
    service: SignalRServiceClient,
    hubs: Hubs,
    negotiation: NegotiateSettings,
    policy: Policy,
) -> Mapping[str, HttpFunction]:
    """Return the negotiate functions by their names: with a hub in the path and without.

    Args:
        service: Signs the client tokens.
        hubs: Which hubs there are.
        negotiation: Who may connect, and for how long.
        policy: The app's own rules.
    """
    identity = CallerIdentity(negotiation)
    # Written once for each address, since the answer is the hot path.
    quoted = functools.lru_cache(maxsize=128)(json.dumps)

    @http_function("POST")
    async def negotiate(req: func.HttpRequest) -> func.HttpResponse:
        hub = hubs.find(requested_hub(req))
        caller = await identity.identify(req.headers)
        try:
            decided = policy(caller, hub, _offered(caller, negotiation))
            connection = (
                decided if isinstance(decided, Connection) else await _awaited(decided, policy)
            )
            access = await service.get_client_access_token(
                hub,
                user_id=connection.user_id,
                claims=connection.claims,
                minutes_to_expire=_within_session(connection.minutes_to_expire, caller),
                options=connection.options,
            )
        except InvalidArgumentError as error:
            raise _refusal(error, caller, hub, policy) from error
        # A token has no character that JSON would escape.
        return json_response(f'{{"url":{quoted(access.url)},"accessToken":"{access.token}"}}')

    return dict.fromkeys(("negotiate", "negotiate_hub"), HttpFunction(negotiate))


def _offered(caller: Caller, negotiation: NegotiateSettings) -> Connection:
    claims = selected_claims(negotiation.claims, caller.claims) if negotiation.claims else NO_CLAIMS
    return Connection(caller.user_id, claims, negotiation.token_lifetime)


async def _awaited(decided: object, policy: Policy) -> Connection:
    """Return what a coroutine function decides.

    Raises:
        TypeError: The policy, of either kind, decides nothing.
    """
    connection = await decided if isinstance(decided, Awaitable) else decided
    if isinstance(connection, Connection):
        return connection
    returned = "None" if connection is None else f"a {type(connection).__qualname__}"
    raise TypeError(
        f"The policy {_name(policy)} returned {returned}, and has to return a Connection: end it"
        " with 'return connection', or raise NotAllowedError"
    )


def _refusal(
    error: InvalidArgumentError, caller: Caller, hub: str, policy: Policy
) -> InvalidArgumentError | ProblemError:
    """Return what the caller is told: of its own user id what is wrong, of the app's slips nothing.

    Args:
        error: Why there is no connection.
        caller: Who asks. Its user id comes from its identity provider.
        hub: Name of the hub.
        policy: The app's own rules.
    """
    if error.argument == "user_id" and caller.user_id is not None:
        try:
            check_user_id("user_id", caller.user_id)
        except InvalidArgumentError as own:
            return own
    _logger.error(
        "The policy %s or the settings ask for a connection that cannot be made: %s",
        _name(policy),
        error,
        exc_info=error,
        extra=log_fields(error, hub=hub),
    )
    return ProblemError(
        HTTPStatus.INTERNAL_SERVER_ERROR, "The app cannot make this connection. Its log says why."
    )


def _name(policy: Policy) -> str:
    name: str = getattr(policy, "__qualname__", type(policy).__qualname__)
    return name


def _within_session(minutes: float, caller: Caller) -> float:
    """Shorten a lifetime to what is left of the caller's own session."""
    if caller.session_end is None:
        return minutes
    left = (caller.session_end - time.time()) / 60
    # A token of less than a second would never be valid.
    if left <= 1 / 60:
        raise unauthorized("The session is over. Log in again.", INVALID_TOKEN)
    return min(minutes, left)
