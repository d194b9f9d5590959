"""All functions of an app, made once and given their routes."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Self

import azure.functions as func

from ..aio import SignalRServiceClient
from ..errors import InvalidArgumentError
from ..settings.connection import EndpointSettings
from ..settings.environment import OWN_PREFIXES, SETTINGS, Settings
from ..settings.hubs import Hubs
from ..settings.token_origin import TokenOrigin
from ..settings.transport_type import TRANSPORT_TYPE, TransportType
from .deferred import deferred_functions, openapi_function
from .events.registry import Events
from .http_function import HttpFunction, RoutedFunction
from .negotiate import settings as negotiate
from .negotiate.admission import Admission
from .negotiate.caller import Caller
from .negotiate.handlers import negotiate_functions
from .negotiate.policies import Policies
from .negotiate.policy import Policy, admit_as_settings_say

if TYPE_CHECKING:
    from .upstream.settings import UpstreamSettings

__all__ = [
    "BROADCAST",
    "CONNECTIONS",
    "GROUPS",
    "HEALTH",
    "NEGOTIATE",
    "OPENAPI",
    "UPSTREAM",
    "Routes",
    "SignalRFunctions",
]

type Routes = Mapping[str, str]
"""Which functions there are: the route of each below the host's route prefix, by its name."""


def _routes(**routes: str) -> Routes:
    return MappingProxyType(routes)


NEGOTIATE: Final = _routes(
    negotiate="negotiate",
    negotiate_hub="{hub:served}/negotiate",
    refresh="refresh",
    refresh_hub="{hub:served}/refresh",
)
"""Clients get their connections, and renew their sign-in. `served` stands for the hubs that the app
serves, so that `orders/negotiate` stays with the app whose route it is."""

BROADCAST: Final = _routes(broadcast="broadcast")
"""Messages to everyone, to users, groups and connections."""

GROUPS: Final = _routes(
    groups="groups",
    group="groups/{groupName}",
    group_connections="groups/{groupName}/connections",
)
"""Who is in which group."""

CONNECTIONS: Final = _routes(
    connection="connections/{connectionId}", connected_user="users/{userId}"
)
"""Who is connected."""

UPSTREAM: Final = _routes(upstream="upstream/{hub}/{category}/{event}")
"""Calls of the service: what clients do."""

HEALTH: Final = _routes(health="health")
"""Whether the app can hand out connections."""

OPENAPI: Final = _routes(openapi="openapi.json")
"""The description of the functions."""

_REFRESH: Final = ("refresh", "refresh_hub")
_ALL: Final = _routes(**NEGOTIATE, **BROADCAST, **GROUPS, **CONNECTIONS, **UPSTREAM)
_EVERY: Final = _routes(**_ALL, **HEALTH, **OPENAPI)
_SERVED: Final = "{hub:served}"
_UPSTREAM: Final = "UPSTREAM_"
_PARAMETERS: Final = re.compile(r"\{(\w+)")
_PREFIX: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?:/[A-Za-z0-9_-]+)*")


class SignalRFunctions:
    """The SignalR functions of a Function App.

    >>> signalr = SignalRFunctions.from_environment()  # doctest: +SKIP
    >>> app.register_functions(signalr.blueprint())  # doctest: +SKIP

    Args:
        service: The service client, which the app's other functions may send with.
        hubs: The hubs that the app serves, of which the first is the default: names, and patterns
            such as `tenant_*`.
        negotiation: How callers prove who they are, and what their tokens say.
        policy: Who may connect, and as what; everybody whose identity is proven if not given. One
            for all hubs, or one for each by its name or a pattern.
        upstream: How the service proves that a call is its own; no call is accepted if not given.
        events: Handlers of what clients do; without them `events` takes some by its decorators.

    Raises:
        InvalidArgumentError: A hub's name breaks a rule of the service, a handler is for a hub that
            the app does not serve, or a policy does not take what it is given.
    """

    def __init__(
        self,
        service: SignalRServiceClient,
        hubs: Hubs | Sequence[str],
        negotiation: negotiate.NegotiateSettings,
        *,
        policy: Policy | Mapping[str, Policy] = admit_as_settings_say,
        upstream: "UpstreamSettings | None" = None,
        events: Events | None = None,
    ) -> None:
        if not isinstance(service, SignalRServiceClient):
            raise InvalidArgumentError("service", "must be the awaitable client, of the module aio")
        self.service = service
        self.events = Events() if events is None else events
        served = hubs if isinstance(hubs, Hubs) else Hubs.of(hubs)
        self._hubs = served._replace(application=service.application)
        self.events.serve(self._hubs)
        self.registered: list[RoutedFunction] = []
        self._is_renewing = negotiation.is_renewing
        self._renews = False
        behind = negotiation.behind_app_service
        policies = Policies(policy, self._hubs, service, behind_app_service=behind)
        admission = Admission(self._hubs, negotiation, policies)
        self._functions: Mapping[str, HttpFunction] = {
            **negotiate_functions(service, admission, self._can_refresh),
            **deferred_functions(
                service,
                self._hubs,
                admission,
                upstream,
                self.events,
                is_renewing=negotiation.is_renewing,
            ),
        }

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str] = os.environ,
        *,
        policy: Policy | Mapping[str, Policy] = admit_as_settings_say,
        events: Events | None = None,
    ) -> Self:
        """Make them from the app's settings, and begin to get the access key.

        Args:
            environment: Names and values of the settings.
            policy: Who may connect, and as what: one for all hubs, or one for each by its name.
            events: Handlers of what clients do.

        Raises:
            SettingsError: A setting is missing or wrong. It names the setting and shows a right
                value.
            InvalidArgumentError: A handler is for a hub that SIGNALR_HUBS does not have, or a
                policy does not take what it is given.
        """
        _warn_of_misspelt_settings(environment)
        settings = Settings.from_environment(environment)
        negotiation = negotiate.NegotiateSettings.from_environment(environment)
        if settings.token_origin is TokenOrigin.SERVICE:
            negotiate.refuse_claims(negotiation)
        upstream = _upstream_settings(environment, settings.endpoints)
        service = _service_client(settings)
        # The identity endpoint and the service answer while the host starts.
        service.warm_up()
        return cls(
            service, settings.hubs, negotiation, policy=policy, upstream=upstream, events=events
        )

    def blueprint(
        self,
        routes: Routes = _ALL,
        *,
        prefix: str = "",
        auth_level: func.AuthLevel = func.AuthLevel.FUNCTION,
    ) -> func.Blueprint:
        """Return functions for `app.register_functions`.

        Args:
            routes: Which functions, with their routes: `NEGOTIATE`, `BROADCAST` and the like, or
                several in one mapping, or routes of your own.
            prefix: What their routes begin with, and their names as well: with `realtime` the
                function `realtime_negotiate` has the route `realtime/negotiate`.
            auth_level: What callers have to show who send, change groups or ask who is connected.

        Raises:
            InvalidArgumentError: There is no such function, its route lacks a parameter, has one
                that it does not know or an empty step, or the prefix is no part of a route.
        """
        if prefix and not _PREFIX.fullmatch(prefix):
            raise InvalidArgumentError(
                "prefix", f"is {prefix!r}, and must be steps of a path such as 'realtime'"
            )
        blueprint = func.Blueprint()
        for name, route in routes.items():
            _check_route(name, route)
            whole = f"{prefix}/{route}" if prefix else route
            routed = RoutedFunction(name, whole.replace(_SERVED, "{hub}"), prefix)
            function = self._function(routed)
            handler = blueprint.route(
                whole.replace(_SERVED, self._served),
                methods=function.methods,
                auth_level=auth_level if function.needs_key else func.AuthLevel.ANONYMOUS,
            )(function.handler)
            blueprint.function_name(routed.qualified(name))(handler)
            self.registered.append(routed)
        # Whether a client that is told when to renew its sign-in finds somebody who does it.
        self._renews = self._is_renewing and any(
            each.function in _REFRESH for each in self.registered
        )
        return blueprint

    def _can_refresh(self, caller: Caller) -> bool:
        return caller.user_id is not None and self._renews

    @property
    def _served(self) -> str:
        """The route parameter `hub` that takes the hubs of the app and no other text."""
        names = "|".join(re.escape(each).replace(r"\*", ".*") for each in self._hubs.listed)
        return f"{{hub:regex(^({names})$)}}"

    def _function(self, routed: RoutedFunction) -> HttpFunction:
        # The description says where the others are as seen from its own route.
        if routed.function in OPENAPI:
            return openapi_function(self.registered, routed.path, self._hubs)
        return self._functions[routed.function]


def _warn_of_misspelt_settings(environment: Mapping[str, str]) -> None:
    read = {each.name for each in (*SETTINGS, *negotiate.SETTINGS)}
    if all(name in read for name in environment if name.upper().startswith(OWN_PREFIXES)):
        return
    # Not above: a setting that is read anyway is no slip for another.
    from .misspelt_settings import warn_of_misspelt_settings  # noqa: PLC0415

    warn_of_misspelt_settings(environment)


def _upstream_settings(
    environment: Mapping[str, str], endpoints: Iterable[EndpointSettings]
) -> "UpstreamSettings | None":
    """Read how the service proves that a call is its own, where there is anything to read."""
    signs = any(each.credential.access_key for each in endpoints)
    if not signs and not any(name.startswith(_UPSTREAM) for name in environment):
        return None
    from .upstream.settings import UpstreamSettings  # noqa: PLC0415  many apps take no calls

    return UpstreamSettings.from_environment(environment, endpoints)


def _service_client(settings: Settings) -> SignalRServiceClient:
    if settings.transport_type is not TransportType.PERSISTENT:
        return SignalRServiceClient.from_settings(settings)
    try:
        # Not above: nobody else has to have its packages, or waits until they are imported.
        from ..persistent.client import PersistentServiceClient  # noqa: PLC0415
    except ImportError as error:
        raise TRANSPORT_TYPE.error(
            f"is {settings.transport_type.value!r}, and its packages are not installed: add a line"
            " websockets>=15 to requirements.txt, or pip install 'keyless-signalr[persistent]'"
        ) from error
    return PersistentServiceClient.from_settings(settings)


def _check_route(name: str, route: str) -> None:
    if name not in _EVERY:
        known = ", ".join(sorted(_EVERY))
        raise InvalidArgumentError("routes", f"has {name!r}, and the functions are {known}")
    # Behind a route prefix the Functions host refuses them, and for no route it takes the name.
    if "" in route.split("/"):
        raise InvalidArgumentError(
            "routes", f"gives {name!r} the route {route!r}, which needs text before and after each"
            f" slash, as in {_EVERY[name]!r}"
        )  # fmt: skip
    usual = _EVERY[name]
    if set(_PARAMETERS.findall(usual)) != set(_PARAMETERS.findall(route)):
        raise InvalidArgumentError(
            "routes", f"gives {name!r} the route {route!r}, which is usually {usual!r}: the same"
            " names have to stand in braces"
        )  # fmt: skip
