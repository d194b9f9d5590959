"""Client tokens: at which endpoint, and made by whom."""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from ..errors import (
    EndpointsError,
    InvalidArgumentError,
    PermissionDeniedError,
    ServiceError,
    ServiceUnavailableError,
)
from ..keys.access_key import AccessKey
from ..settings.token_origin import TokenOrigin
from ..telemetry import log_fields
from ..transport.flow import Flow, GetKey
from .endpoint import ClientAccess, ServiceEndpoint, TokenRequest

__all__ = ["Negotiation", "check_claimless", "made_by_service"]

_logger = logging.getLogger(__name__)

_GRACE: Final = 0.5
"""Seconds that a client waits for the first key of its own endpoint while another one has a key."""


class Negotiation:
    """Gives client tokens.

    Args:
        route: Gives the endpoints for a hub and a user, the best first.
        origin: Who makes the tokens.
        key_timeout: Seconds that a caller waits for the first access key.
        given: Is told the name of the endpoint of each token.
    """

    def __init__(
        self,
        route: Callable[[str, str | None], Sequence[ServiceEndpoint]],
        origin: TokenOrigin,
        *,
        key_timeout: float,
        given: Callable[[str], None] | None,
    ) -> None:
        self._route = route
        self._origin = origin
        self._key_timeout = key_timeout
        self._given = given
        self._warned = False

    @property
    def needs_keys(self) -> bool:
        """Whether tokens are made with access keys."""
        return self._origin is not TokenOrigin.SERVICE

    def at_once(self, request: TokenRequest) -> ClientAccess | None:
        """Make a client token here and now, or return `None` if that takes a request."""
        if self._origin is TokenOrigin.SERVICE:
            return None
        endpoint = self._route(request.hub, request.user_id)[0]
        key = endpoint.keys.current()
        if key is None:
            return None
        try:
            access = endpoint.sign(key, request)
        except ServiceUnavailableError:
            # The key ended a moment ago, so the next one is waited for.
            return None
        if self._given is not None:
            self._given(endpoint.endpoint.name)
        return access

    def access(self, request: TokenRequest) -> Flow[ClientAccess]:
        """Get a client token from the first endpoint that can give one.

        Raises:
            InvalidArgumentError: The hub's name or a claim breaks a rule.
            TokenTooLargeError: The claims do not fit in a token.
            ServiceError: No endpoint gives one.
        """
        failures: dict[str, ServiceError] = {}
        endpoints = self._route(request.hub, request.user_id)
        for endpoint in endpoints:
            others = [each for each in endpoints if each is not endpoint]
            try:
                return (yield from self._access_at(endpoint, request, self._timeout(others)))
            except ServiceError as error:
                failures[endpoint.endpoint.name] = error
        if len(failures) == 1:
            raise next(iter(failures.values()))
        raise EndpointsError(failures, [])

    def does_without_key(self, error: ServiceError | None) -> bool:
        """Tell whether tokens are given although the last attempt to get a key ended like this."""
        if error is None or self._origin is TokenOrigin.SERVICE:
            return True
        return self._origin is TokenOrigin.AUTO and isinstance(error, PermissionDeniedError)

    def key_of(
        self, endpoint: ServiceEndpoint, timeout: float | None = None
    ) -> Flow[AccessKey | None]:
        """Get the key that signs an endpoint's tokens, or `None` where the service makes them.

        Args:
            endpoint: The endpoint.
            timeout: Seconds for which the first key is waited for; as long as a caller does, if not
                given.

        Raises:
            ServiceError: There is none.
        """
        if self._origin is TokenOrigin.SERVICE:
            return None
        at_hand = endpoint.keys.current()
        if at_hand is not None:
            # To wait for what is there would take two turns of the event loop, and a timer.
            return at_hand
        try:
            key = yield GetKey(endpoint.keys, self._key_timeout if timeout is None else timeout)
        except ServiceError as error:
            cause = error.__cause__
            if isinstance(cause, ServiceError) and self.does_without_key(cause):
                self._warn(error)
                return None
            raise
        assert isinstance(key, AccessKey)  # noqa: S101  the answer to this effect
        return key

    def _timeout(self, others: Sequence[ServiceEndpoint]) -> float:
        """Return for how many seconds a key is waited for, where others may have one."""
        has_key = any(each.keys.current() is not None for each in others)
        return min(_GRACE, self._key_timeout) if has_key else self._key_timeout

    def _access_at(
        self, endpoint: ServiceEndpoint, request: TokenRequest, timeout: float
    ) -> Flow[ClientAccess]:
        key = yield from self.key_of(endpoint, timeout)
        if key is None:
            check_claimless(request)
            access = yield from made_by_service(endpoint, request)
        else:
            access = endpoint.sign(key, request)
        if self._given is not None:
            self._given(endpoint.endpoint.name)
        return access

    def _warn(self, error: ServiceError) -> None:
        if self._warned:
            return
        self._warned = True
        _logger.warning(
            "The service makes the client tokens, which costs each negotiation a request and"
            " leaves claims out, since this app may not have an access key: %s",
            error,
            extra=log_fields(error),
        )


def check_claimless(request: TokenRequest) -> None:
    """Refuse what a token cannot say that the service makes.

    Raises:
        InvalidArgumentError: It has claims, says how the connection is treated, or is to be unique.
    """
    if request.claims or request.system_claims or request.unique:
        raise InvalidArgumentError(
            "claims", "need an access key: tokens that the service makes have a user id only"
        )


def made_by_service(endpoint: ServiceEndpoint, request: TokenRequest) -> Flow[ClientAccess]:
    """Have the service make a client token, which costs a request.

    Raises:
        ServiceError: It makes none.
    """
    minutes = max(1, int(request.lifetime / 60))
    token = yield from endpoint.rest.generate_client_token(
        request.hub, user_id=request.user_id, minutes_to_expire=minutes
    )
    lifetime = min(minutes * 60, int(request.lifetime))
    return ClientAccess(endpoint.address(request.hub)[1], token, lifetime)
