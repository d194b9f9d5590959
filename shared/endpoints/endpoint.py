"""One endpoint in use: its REST API, its access key, and whether it is up."""

import functools
import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

from ..errors import InvalidArgumentError, ServiceError
from ..identity.token import TokenSource
from ..keys.access_key import AccessKey
from ..keys.client_token import Claims, sign_client_token
from ..keys.rotation import Verdict
from ..keys.schedule import FetchedKey
from ..keys.thread import RotationThread, spawn_thread
from ..rest.access_keys import AccessKeys
from ..rest.exchange import Exchange
from ..rest.retry import RetryPolicy
from ..settings.endpoint import Endpoint, EndpointType
from ..settings.names import check_user_id, prefixed_hub
from ..transport.flow import Effect, EffectResult, NoAnswerError, Request, Response, run

if TYPE_CHECKING:
    from ..keys.access_key import KeyState
    from ..keys.local import LocalKey
    from ..rest.api import RestApi
    from .health import Health

__all__ = ["ClientAccess", "EndpointState", "ServiceEndpoint", "TokenRequest"]

_PROBE_LIFETIME: Final = 3600.0
"""Seconds that the token of a probe lasts: as long as a client's, so that it bears the same error
of this machine's clock."""

_SKEW: Final = 60.0
"""Seconds before its end at which a token may have ended by the service's clock."""


class ClientAccess(NamedTuple):
    """What a client needs to connect: the answer of a negotiate function.

    Args:
        url: Where it connects to.
        token: The client token.
        lifetime: Whole seconds for which the client may connect with it, rounded down; at least 1.
    """

    url: str
    token: str
    lifetime: int


@dataclass(slots=True)
class TokenRequest:
    """What a client token shall say.

    Args:
        hub: Name of the hub.
        user_id: The user that the connection belongs to, or `None` for an anonymous one.
        claims: More claims for the token.
        lifetime: Seconds for which the client may connect.
        system_claims: The service's own claims: how it treats the connection.
        unique: Whether the token differs from every other one.

    Raises:
        InvalidArgumentError: The lifetime is no positive number, or no operation could name the
            user.
    """

    hub: str
    user_id: str | None
    claims: Claims | None
    lifetime: float
    system_claims: Mapping[str, str] | None = None
    unique: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.lifetime < math.inf:
            raise InvalidArgumentError("minutes_to_expire", "must be a positive number")
        if self.user_id is not None:
            check_user_id("user_id", self.user_id)


class EndpointState(NamedTuple):
    """What an operator wants to know of an endpoint.

    Args:
        name: Name of the endpoint.
        type: When clients are sent to it.
        healthy: Whether it answers its health check.
        key: What is known of its access key.
    """

    name: str
    type: EndpointType
    healthy: bool
    key: "KeyState"


class ServiceEndpoint:
    """One endpoint in use.

    Args:
        endpoint: The endpoint.
        tokens: Proves to it who this app is.
        perform: Does one effect, blocking, for the rotation's own thread.
        application: Name in lower case of the application whose hubs they are, or "" for none.
        message_tracing: Whether what is sent to a hub gets a name in the service's messaging logs.
        policy: Bounds of repetition.
        local_key: The access key of an emulator on this machine; without one, temporary keys are
            asked for.
        refreshed: Is told of each attempt to get a key: "success", or the name of the error.
        clock: Current time in epoch seconds.
        steady: Current time in seconds of a clock that is never set.
        jitter: Random numbers from 0 to 1.
        spawn: Runs something in a thread of its own.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        tokens: TokenSource,
        perform: Callable[[Effect], EffectResult],
        *,
        application: str = "",
        message_tracing: bool = False,
        policy: RetryPolicy | None = None,
        local_key: "LocalKey | None" = None,
        refreshed: Callable[[str, str], None] | None = None,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        spawn: Callable[[Callable[[], None]], None] = spawn_thread,
    ) -> None:
        self.endpoint = endpoint
        self.health: Health | None = None
        """What its health checks say, where others could do what it does not."""

        def asking[E: Exchange](kind: type[E]) -> E:
            return kind(
                endpoint,
                tokens,
                application=application,
                message_tracing=message_tracing,
                policy=policy,
                healthy=lambda: self.healthy,
                clock=clock,
                steady=steady,
                jitter=jitter,
            )

        self._access_keys = asking(AccessKeys)
        self._rest_api: Callable[[type[RestApi]], RestApi] = asking
        self.keys: RotationThread | LocalKey = local_key or RotationThread(
            self._fetch_key,
            self._prove,
            clock=clock,
            steady=steady,
            jitter=jitter,
            endpoint=endpoint.name,
            spawn=spawn,
        )
        self._tokens = tokens
        self._application = application
        self._perform = perform
        self._refreshed = refreshed
        self._clock = clock
        # Checked and built once for each hub, since every client token needs them.
        self.address = functools.lru_cache(maxsize=128)(self._address)
        self._probe_hub: str | None = None

    @functools.cached_property
    def rest(self) -> "RestApi":
        """The REST API, whose operations no start needs."""
        from ..rest.api import RestApi  # noqa: PLC0415

        return self._rest_api(RestApi)

    @property
    def healthy(self) -> bool:
        """Whether it answers its health checks."""
        return self.health is None or self.health.healthy

    @property
    def available(self) -> bool:
        """Whether clients should be sent here: it answers, and it gives access keys."""
        if not self.healthy:
            return False
        has_trouble = self.keys.error is not None or self.keys.is_stalled
        return not has_trouble or self.keys.current() is not None

    @property
    def state(self) -> EndpointState:
        """What an operator wants to know."""
        return EndpointState(self.endpoint.name, self.endpoint.type, self.healthy, self.keys.state)

    def sign(self, key: AccessKey, request: TokenRequest) -> ClientAccess:
        """Make a client token with a key of this endpoint."""
        audience, url = self.address(request.hub)
        now = self._clock()
        token = sign_client_token(
            key,
            audience,
            now=now,
            lifetime=request.lifetime,
            user_id=request.user_id,
            claims=request.claims,
            system_claims=request.system_claims,
            unique=request.unique,
        )
        left = key.expires_at - now
        return ClientAccess(url, token, int(min(left, request.lifetime)))

    def after_fork(self) -> None:
        """Make it usable in a child process."""
        self.keys.after_fork()
        self._tokens.after_fork()

    def _address(self, hub: str) -> tuple[str, str]:
        name = prefixed_hub(self._application, hub)
        self._probe_hub = hub.lower()
        return self.endpoint.client_audience(name), self.endpoint.client_hub_url(name)

    def _fetch_key(self) -> FetchedKey:
        outcome = "success"
        try:
            return run(self._access_keys.access_key(), self._perform)
        except ServiceError as error:
            outcome = type(error).__name__
            raise
        finally:
            if self._refreshed is not None:
                self._refreshed(self.endpoint.name, outcome)

    def _prove(self, key: AccessKey) -> Verdict:
        """Ask whether the service knows a key: whether a client with its token may negotiate.

        Any answer but 401 is none to this question, and does not hold a key back: the endpoint has
        given it a moment ago. Nor is a 401 to a token that has ended on the way.
        """
        if self._probe_hub is None:
            return Verdict.KNOWN
        name = prefixed_hub(self._application, self._probe_hub)
        audience = self.endpoint.client_audience(name)
        ends_at = min(self._clock() + _PROBE_LIFETIME, key.expires_at)
        token = sign_client_token(key, audience, now=self._clock(), lifetime=_PROBE_LIFETIME)
        url = f"{self.endpoint.server_url}/client/negotiate?hub={name}"
        headers = {"Authorization": f"Bearer {token}"}
        request = Request(
            "POST",
            f"{url}&negotiateVersion=1",
            headers,
            b"",
            "prove_access_key",
            self.endpoint.name,
            self._probe_hub,
            url,
        )
        try:
            answer = self._perform(request)
        except NoAnswerError:
            return Verdict.UNSURE
        if not isinstance(answer, Response) or answer.status != HTTPStatus.UNAUTHORIZED:
            return Verdict.KNOWN
        return Verdict.UNKNOWN if self._clock() < ends_at - _SKEW else Verdict.UNSURE
