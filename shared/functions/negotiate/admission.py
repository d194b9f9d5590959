"""Who asks, for which hub, and the connection that the app's rules give: at first, and anew."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

import azure.functions as func

from ...errors import InvalidArgumentError, UnknownHubError
from ...settings.hubs import Hubs
from ...settings.names import check_user_id
from ...telemetry import log_fields
from ..address import requested_hub
from ..places import name_of, placed
from ..problems import ProblemError
from .caller import INVALID_TOKEN, NO_CLAIMS, Caller, CallerIdentity, unauthorized
from .policies import Policies, Rule
from .policy import Connection
from .settings import NegotiateSettings

if TYPE_CHECKING:
    from ...keys.client_token import ClaimValue
    from ...keys.connection_options import ConnectionOptions

__all__ = ["Admission", "Admitted"]

_logger = logging.getLogger(__name__)


class Admitted(NamedTuple):
    """A caller who may connect.

    Args:
        hub: Name of the hub that it may connect to, in lower case.
        connection: What the app's rules give it.
        options: How the service treats its connection.
        minutes: Minutes for which it may connect, within its session.
        session_end: When its session ends, in epoch seconds; `None` when that is not known.
    """

    hub: str
    connection: Connection
    options: "ConnectionOptions | None"
    minutes: float
    session_end: float | None

    @property
    def ends_at(self) -> float | None:
        """When the authentication of the connection ends, in epoch seconds, if that is known."""
        if self.options is not None and self.options.close_at is not None:
            return self.options.close_at
        return self.session_end


class Admission:
    """Decides who may connect, and as what.

    Args:
        hubs: Which hubs there are.
        negotiation: How callers prove who they are, and what they get for it.
        policies: The app's own rules.
    """

    def __init__(self, hubs: Hubs, negotiation: NegotiateSettings, policies: Policies) -> None:
        self._hubs = hubs
        self._negotiation = negotiation
        self._policies = policies
        self.identify = CallerIdentity(negotiation).identify
        self._select_claims = _selection(negotiation)

    def hub(self, req: func.HttpRequest) -> str:
        """Return the hub that a request is for, or "" if its policy has to choose one.

        Args:
            req: The request. It names a hub in its path, in its query or not at all.

        Raises:
            ProblemError: The request names several hubs.
            UnknownHubError: This app does not serve the hub.
            InvalidArgumentError: It has to name one.
        """
        named = requested_hub(req)
        if named is None and self._policies.choose_hubs:
            return self._hubs.default
        return self._hubs.find(named)

    async def decide(self, caller: Caller, hub: str, req: func.HttpRequest) -> Admitted:
        """Return what a caller gets.

        Args:
            caller: Who asks.
            hub: Name of the hub, in lower case, or "".
            req: The request.

        Raises:
            ProblemError: The caller is not let in, or the app's own rules make a mistake.
            InvalidArgumentError: The request has to name a hub, and the policy chooses none.
        """
        try:
            connection = self._policies.ask(caller, hub, self._offered(caller), req)
            if not isinstance(connection, Connection):
                connection = await _awaited(connection, self._policies.rule(hub))
            chosen = hub if connection.hub is None else self._chosen(connection.hub)
        except InvalidArgumentError as error:
            raise self.refusal(error, caller, hub) from error
        if not chosen:
            self._hubs.find(None)
        # The policy's own stays as it is: it may be one for all.
        options, minutes = connection.options, connection.minutes_to_expire
        if caller.session_end is not None:
            minutes = _within_session(minutes, caller.session_end)
            if self._negotiation.close_on_expiration:
                options = _closing_at(caller.session_end, options)
        if self._negotiation.unique_tokens:
            options = _unique(options)
        if options is not None and options.close_at is not None:
            minutes = min(minutes, _minutes_until(options.close_at))
        return Admitted(chosen, connection, options, minutes, caller.session_end)

    def refusal(
        self, error: InvalidArgumentError, caller: Caller, hub: str
    ) -> InvalidArgumentError | ProblemError:
        """Return what the caller is told: of its own user id what is wrong, of our slips nothing.

        Args:
            error: Why there is no connection.
            caller: Who asks. Its user id comes from its identity provider.
            hub: Name of the hub that it asks for.
        """
        if error.argument == "user_id" and caller.user_id is not None:
            try:
                check_user_id("user_id", caller.user_id)
            except InvalidArgumentError as own:
                return own
        _logger.error(
            "The policy %s or the settings ask for a connection that cannot be made: %s",
            name_of(self._policies.rule(hub).policy),
            error,
            exc_info=error,
            extra=log_fields(error, hub=hub),
        )
        return ProblemError(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "The app cannot make this connection. Its log says why.",
        )

    def _offered(self, caller: Caller) -> Connection:
        select = self._select_claims
        claims = NO_CLAIMS if select is None else select(caller.claims)
        return Connection(caller.user_id, claims, self._negotiation.token_lifetime)

    def _chosen(self, hub: str) -> str:
        """Return the hub that a policy has chosen, in lower case."""
        try:
            return self._hubs.find(hub)
        except UnknownHubError:
            served = ", ".join(self._hubs.listed)
            problem = f"{hub!r}, which the policy has chosen, is none of {served}"
            raise InvalidArgumentError("hub", problem) from None


async def _awaited(decided: object, rule: Rule) -> Connection:
    """Return what a coroutine function decides.

    Raises:
        TypeError: The policy, of either kind, decides nothing.
    """
    connection = await decided if isinstance(decided, Awaitable) else decided
    if isinstance(connection, Connection):
        return connection
    returned = "None" if connection is None else f"a {type(connection).__qualname__}"
    raise TypeError(
        f"The policy {placed(rule.policy)} returned {returned}, and has to return a Connection:"
        " end it with 'return connection', or raise NotAllowedError"
    )


def _selection(
    negotiation: NegotiateSettings,
) -> "Callable[[Mapping[str, ClaimValue]], Mapping[str, ClaimValue]] | None":
    """Return what chooses the claims of a caller that pass, or `None` where none does."""
    if not negotiation.claims:
        return None
    from .claims import selected_claims  # noqa: PLC0415  of use only where claims pass

    return partial(selected_claims, negotiation.claims)


def _closing_at(session_end: float, options: "ConnectionOptions | None") -> "ConnectionOptions":
    """Have a connection end with the caller's session, unless the policy names a time."""
    if options is None:
        return _options(close_at=session_end)
    return options if options.close_at is not None else replace(options, close_at=session_end)


def _unique(options: "ConnectionOptions | None") -> "ConnectionOptions":
    """Have the token differ from every other one, whatever else the policy says."""
    return replace(options or _options(), unique_token=True)


def _options(*, close_at: float | None = None) -> "ConnectionOptions":
    # Not above: most apps leave the connection as it is.
    from ...keys.connection_options import ConnectionOptions  # noqa: PLC0415

    return ConnectionOptions(close_at=close_at)


def _minutes_until(moment: float) -> float:
    return (moment - time.time()) / 60


def _within_session(minutes: float, session_end: float) -> float:
    """Shorten a lifetime to what is left of the caller's own session."""
    left = _minutes_until(session_end)
    # A token of less than a second would never be valid.
    if left <= 1 / 60:
        raise unauthorized("The session is over. Log in again.", INVALID_TOKEN)
    return min(minutes, left)
