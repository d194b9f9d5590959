"""What the blocking and the awaitable client have in common: the endpoints and their state.

An operation at several endpoints is a flow like one at a single endpoint, so both clients differ in
how they run it and in nothing else.
"""

import dataclasses
import os
import sys
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Self

from .endpoints.credentials import (
    Credential,
    EntraTokenSources,
    addresses,
    credentials,
    local_key,
)
from .endpoints.endpoint import ClientAccess, EndpointState, ServiceEndpoint, TokenRequest
from .endpoints.negotiation import Negotiation
from .errors import InvalidArgumentError, SignalRError
from .keys.client_token import Claims
from .rest.retry import RetryPolicy
from .settings.endpoint import Endpoint
from .settings.environment import (
    Settings,
    read_application,
    read_endpoints,
    read_message_tracing,
    read_token_origin,
)
from .settings.names import check_application
from .settings.token_origin import TokenOrigin
from .transport.driver import Driver
from .transport.flow import Flow
from .transport.http import Timeouts, Transport

if TYPE_CHECKING:
    from .endpoints.fan_out import FanOut
    from .endpoints.instruments import Telemetry
    from .endpoints.router import Router
    from .endpoints.several import SeveralEndpoints
    from .identity.token import TokenSource
    from .keys.access_key import KeyState
    from .keys.connection_options import ConnectionOptions
    from .rest.api import RestApi

__all__ = ["DEFAULT_LIFETIME", "BaseClient", "EndpointOperation", "token_request"]

DEFAULT_LIFETIME: Final = 60.0
"""Minutes for which a client may connect with its token: the default of the service's SDKs."""


class EndpointOperation[**P, T]:
    """An operation of the REST API as a method of a client, which runs it in its own way.

    Args:
        operation: Gives the method of a `RestApi`, which is imported when one is called.
        fan_out: How many of several endpoints it concerns.
    """

    def __init__(
        self, operation: "Callable[[RestApi], Callable[P, Flow[T]]]", fan_out: "FanOut" = "all"
    ) -> None:
        self.operation = operation
        self._fan_out = fan_out

    def flow(self, client: "BaseClient", *args: P.args, **kwargs: P.kwargs) -> Flow[T]:
        """Return the flow of the operation at a client's endpoints."""
        return client.on_endpoints(self.operation, self._fan_out, *args, **kwargs)


class BaseClient:
    """The endpoints of a client.

    Args:
        endpoints: The endpoint of the service, or several.
        credential: A credential of azure-identity, or settings to make one from at first need: one
            for all endpoints, or one for each.
        policy: Bounds of repetition.
        timeouts: How long is waited for the service.
        router: Chooses the endpoint that a client is sent to.
        token_origin: Who makes client tokens.
        application: Name of the application whose hubs these are: several may share a service, and
            the hub `chat` of one is another than that of the next. Operations take the hubs' own
            names all the same.
        message_tracing: Whether what is sent to a hub gets a name in the service's messaging logs,
            which spans, log records and errors tell as well.
        clock: Current time in epoch seconds.
    """

    def __init__(
        self,
        endpoints: str | Endpoint | Sequence[Endpoint],
        credential: Credential | Sequence[Credential],
        *,
        policy: RetryPolicy | None = None,
        timeouts: Timeouts | None = None,
        router: "Router | None" = None,
        token_origin: TokenOrigin = TokenOrigin.ACCESS_KEY,
        application: str = "",
        message_tracing: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        listed = addresses(endpoints)
        timeouts = timeouts or Timeouts()
        proofs = credentials(credential, len(listed))
        self.application = check_application(application)
        self._message_tracing = message_tracing
        self._policy = policy
        self._clock = clock
        self._telemetry = self._find_telemetry()
        # As long as for the answer, where others may do the same.
        queue_timeout = timeouts.read if len(listed) > 1 else None
        self._transport = Transport(timeouts)
        recording = self._telemetry.recording if self._telemetry else None
        self.driver = Driver(self._transport, recording, queue_timeout)
        self._entra_tokens = EntraTokenSources(clock)
        self._endpoints = [
            self._connect(endpoint, credential)
            for endpoint, credential in zip(listed, proofs, strict=True)
        ]
        self.several = self._join(router) if len(listed) > 1 else None
        self.negotiation = Negotiation(
            self.several.route if self.several else self._only,
            token_origin,
            key_timeout=timeouts.key,
            given=self._telemetry.negotiated if self._telemetry else None,
        )
        _clients.add(self)

    @classmethod
    def from_settings(cls, settings: Settings, *, router: "Router | None" = None) -> Self:
        """Make a client from the settings of a Function App.

        Args:
            settings: The settings.
            router: Chooses the endpoint that a client is sent to.
        """
        return cls(
            [each.endpoint for each in settings.endpoints],
            [each.credential for each in settings.endpoints],
            router=router,
            token_origin=settings.token_origin,
            application=settings.application,
            message_tracing=settings.message_tracing,
        )

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] = os.environ, *, router: "Router | None" = None
    ) -> Self:
        """Make a client from settings of the environment: those that say where the service is.

        Args:
            environment: Names and values of the settings.
            router: Chooses the endpoint that a client is sent to.

        Raises:
            SettingsError: A setting is missing or wrong. It names the setting and shows a right
                value.
        """
        endpoints = read_endpoints(environment)
        return cls(
            [each.endpoint for each in endpoints],
            [each.credential for each in endpoints],
            router=router,
            token_origin=read_token_origin(environment),
            application=read_application(environment),
            message_tracing=read_message_tracing(environment),
        )

    def warm_up(self) -> None:
        """Begin to get the access keys, so that the first negotiation finds them under way.

        Returns at once. What goes wrong is logged, and tried again when a key is needed.
        """
        if self.negotiation.needs_keys:
            for each in self._endpoints:
                each.keys.warm_up()

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """The endpoints of the service."""
        return [each.endpoint for each in self._endpoints]

    @property
    def rest_apis(self) -> "Sequence[RestApi]":
        """The REST API of each endpoint."""
        return [each.rest for each in self._endpoints]

    @property
    def state(self) -> Sequence[EndpointState]:
        """What an operator wants to know of each endpoint."""
        return [each.state for each in self._endpoints]

    @property
    def degraded(self) -> bool:
        """Whether an endpoint is down, or the last attempt to get its access key failed.

        Where the service makes the client tokens, nobody misses an access key.
        """
        return any(
            not each.healthy or not self.negotiation.does_without_key(each.key.error)
            for each in self.state
        )

    def on_endpoints[**P, T](
        self,
        operation: "Callable[[RestApi], Callable[P, Flow[T]]]",
        fan_out: "FanOut",
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Flow[T]:
        """Do an operation at every endpoint, all at once.

        Args:
            operation: Gives the method of a `RestApi`.
            fan_out: How many of the endpoints it concerns.
            args: Arguments of the operation.
            kwargs: More arguments of the operation.
        """
        flows = [operation(each.rest)(*args, **kwargs) for each in self._endpoints]
        if self.several is None:
            return (yield from flows[0])
        return (yield from self.several.combined(fan_out, flows))

    def refresh(
        self, connection_token: str, expires_on: float | None, token: TokenRequest
    ) -> Flow[ClientAccess]:
        """Renew the authentication of a connection at the endpoint that has it.

        Args:
            connection_token: Names the connection.
            expires_on: When its authentication ends, in epoch seconds; `None` for never.
            token: What the next client token shall say; without claims those of the connection.

        Raises:
            InvalidArgumentError: The end is past, or there is a user or an option without claims.
        """
        # Not above: no start needs them.
        from .endpoints.refresh import RefreshRequest, refresh_at  # noqa: PLC0415
        from .rest.authentication import seconds_until  # noqa: PLC0415

        if token.claims is None and (token.user_id is not None or token.system_claims):
            raise InvalidArgumentError(
                "claims", "is missing: user_id and options are claims as well, and replace them all"
            )
        if expires_on is not None:
            left = seconds_until(expires_on, self._clock())
            token = dataclasses.replace(token, lifetime=min(token.lifetime, left))
        request = RefreshRequest(connection_token, expires_on, token)
        outcome = "success"
        try:
            flows = [
                refresh_at(self.negotiation, each, request, self._clock) for each in self._endpoints
            ]
            if self.several is None:
                return (yield from flows[0])
            return (yield from self.several.combined("only", flows))
        except SignalRError as error:
            outcome = type(error).__name__
            raise
        finally:
            if self._telemetry is not None:
                self._telemetry.authentication_refreshed(outcome)

    def after_fork(self) -> None:
        """Make it usable in a child process, which has its keys and none of its threads."""
        self._transport.renew()
        self.driver.after_fork()
        if self.several is not None:
            self.several.after_fork()
        for each in self._endpoints:
            each.after_fork()

    def _only(self, _hub: str, _user_id: str | None) -> Sequence[ServiceEndpoint]:
        return self._endpoints

    def _join(self, router: "Router | None") -> "SeveralEndpoints":
        # Not above: most apps have one endpoint.
        from .endpoints.several import SeveralEndpoints  # noqa: PLC0415

        return SeveralEndpoints(self._endpoints, router)

    def _find_telemetry(self) -> "Telemetry | None":
        """Return the instruments if the process has an OpenTelemetry SDK."""
        if "opentelemetry.sdk" not in sys.modules:
            return None
        from .endpoints.instruments import Telemetry  # noqa: PLC0415  of use only beside an SDK

        return Telemetry(self._keys)

    def _connect(self, endpoint: Endpoint, credential: Credential) -> ServiceEndpoint:
        key = local_key(credential)
        tokens: TokenSource
        if key is not None:
            from .keys.local import LocalTokens  # noqa: PLC0415  of use only with an emulator

            tokens = LocalTokens(key, clock=self._clock)
        else:
            tokens = self._entra_tokens.of(credential, endpoint)
        return ServiceEndpoint(
            endpoint,
            tokens,
            self.driver.perform,
            application=self.application,
            message_tracing=self._message_tracing,
            policy=self._policy,
            local_key=key,
            refreshed=self._telemetry.refreshed if self._telemetry else None,
            clock=self._clock,
        )

    def _keys(self) -> "Iterator[tuple[str, KeyState]]":
        for each in self.state:
            yield each.name, each.key

    def _close(self) -> None:
        _clients.discard(self)
        if self.several is not None:
            self.several.close()
        if self._telemetry is not None:
            self._telemetry.close()
        for each in self._endpoints:
            each.keys.close()
        self.driver.close()
        self._transport.close()


_clients: weakref.WeakSet[BaseClient] = weakref.WeakSet()


def _after_fork() -> None:
    for client in _clients:
        client.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def token_request(
    hub: str,
    user_id: str | None,
    claims: Claims | None,
    minutes_to_expire: float,
    options: "ConnectionOptions | None",
) -> TokenRequest:
    """Return what a client token shall say.

    Raises:
        InvalidArgumentError: The minutes are no positive number, or no operation could name the
            user.
    """
    lifetime = minutes_to_expire * 60
    if options is None:
        return TokenRequest(hub, user_id, claims, lifetime)
    return TokenRequest(hub, user_id, claims, lifetime, options.claims(), options.unique_token)
