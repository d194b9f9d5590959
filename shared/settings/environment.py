"""The settings of the service client, read from the environment of a Function App.

Names are those of the Functions extension, so that an app moves over from the SignalR bindings
with the settings it has.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from ..errors import InvalidArgumentError, SettingsError
from .connection import (
    ALLOW_HTTP_HOSTS,
    CONNECTION_STRING_EXAMPLE,
    PARTS,
    SERVICE_EXAMPLE,
    SERVICE_URI,
    EndpointSettings,
    read_parts,
)
from .description import Setting
from .endpoint import EndpointType
from .hubs import Hubs
from .names import MAX_HUB_LENGTH, check_application, prefixed_hub
from .token_origin import TokenOrigin
from .transport_type import TRANSPORT_TYPE, TransportType, read_transport_type

__all__ = [
    "CONNECTION",
    "ENDPOINTS",
    "OWN_PREFIXES",
    "SETTINGS",
    "Settings",
    "read_application",
    "read_endpoints",
    "read_message_tracing",
    "read_token_origin",
]

CONNECTION: Final = "AzureSignalRConnectionString"
"""Name of the connection, and what its settings begin with."""

ENDPOINTS: Final = "Azure__SignalR__Endpoints"
"""What the settings of named endpoints begin with."""

OWN_PREFIXES: Final = ("SIGNALR_", "NEGOTIATE_", "UPSTREAM_")
"""What the names of settings begin with that no other app has."""

_CONNECTION_STRING: Final = Setting(
    CONNECTION,
    "a connection string instead of the parts above; `AuthType` is `azure`, `azure.msi` or"
    " `azure.app`",
    CONNECTION_STRING_EXAMPLE,
)
_HUBS: Final = Setting(
    "SIGNALR_HUBS",
    "the hubs that the app serves, separated by commas; no other can be reached. `tenant_*` stands"
    " for every hub whose name begins with `tenant_`",
    "chat,notifications",
    "required",
)
_DEFAULT_HUB: Final = Setting(
    "SIGNALR_DEFAULT_HUB",
    "hub of a request that names none",
    "chat",
    f"the first name of `{_HUBS.name}`; with patterns alone none, and each request names a hub",
)
_APPLICATION: Final = Setting(
    "SIGNALR_APPLICATION",
    "name that sets the hubs of this app apart from those of others at the same service, to which"
    " the hub `chat` is `alice_chat` then",
    "alice",
)
_TOKENS: Final = Setting(
    "SIGNALR_CLIENT_TOKENS",
    "`access-key`: the app signs client tokens; `service`: the service makes each (needs *SignalR"
    " REST API Owner* only, costs a request, has no claims); `auto`: the service makes them while"
    " the app may not have an access key",
    TokenOrigin.ACCESS_KEY.value,
    f"`{TokenOrigin.ACCESS_KEY.value}`",
)
_MESSAGE_TRACING: Final = Setting(
    "SIGNALR_MESSAGE_TRACING",
    "`true` or `false`: whether each send has a name in the service's messaging logs, which the"
    " app's spans and log records have as well",
    "true",
    "`false`",
)
SETTINGS: Final = (
    *(part.of(CONNECTION) for part in PARTS.values()),
    _CONNECTION_STRING,
    _HUBS,
    _DEFAULT_HUB,
    _APPLICATION,
    _TOKENS,
    TRANSPORT_TYPE,
    _MESSAGE_TRACING,
    ALLOW_HTTP_HOSTS,
)
"""All of them; each endpoint with a name of its own has the parts of the connection as well."""

_STRINGS: Final[Mapping[tuple[str, ...], EndpointType]] = {
    (): EndpointType.PRIMARY,
    ("primary",): EndpointType.PRIMARY,
    ("secondary",): EndpointType.SECONDARY,
}
"""What follows the name of an endpoint in the names of connection strings."""


class _Setting(NamedTuple):
    name: str
    value: str


type _Found = Mapping[tuple[str, ...], _Setting]
"""Settings under a prefix, by what follows it in their names."""


class Settings(NamedTuple):
    """What the service client needs to know.

    Args:
        endpoints: The endpoints of the service, each with this app's identity there.
        hubs: The hubs that this app serves.
        token_origin: Who makes client tokens.
        application: Name in lower case of the application whose hubs they are, or "" for none.
        message_tracing: Whether what is sent to a hub gets a name in the service's messaging logs.
        transport_type: How messages reach the service.
    """

    endpoints: tuple[EndpointSettings, ...]
    hubs: Hubs
    token_origin: TokenOrigin = TokenOrigin.ACCESS_KEY
    application: str = ""
    message_tracing: bool = False
    transport_type: TransportType = TransportType.TRANSIENT

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings.

        Args:
            environment: Names and values, as in `os.environ`.

        Raises:
            SettingsError: A setting is missing or wrong. It names the setting and shows a right
                value.
        """
        hubs = _hubs(environment)
        return cls(
            hubs=hubs,
            endpoints=read_endpoints(environment),
            token_origin=read_token_origin(environment),
            application=_application_of(hubs, environment),
            message_tracing=read_message_tracing(environment),
            transport_type=read_transport_type(environment),
        )


def read_endpoints(environment: Mapping[str, str]) -> tuple[EndpointSettings, ...]:
    """Read the endpoints of the service, each with this app's identity there.

    Args:
        environment: Names and values, as in `os.environ`.

    Raises:
        SettingsError: A setting is missing or wrong.
    """
    named = _named_endpoints(environment)
    addresses = [each.endpoint.url for each in named]
    # The connection may have a name as well. As two endpoints it would get each message twice.
    unnamed = [each for each in _connection(environment) if each.endpoint.url not in addresses]
    found = [*unnamed, *named]
    if not found:
        raise SERVICE_URI.of(CONNECTION).error("is not set")
    names = [each.endpoint.name for each in found]
    for each in (*names, *addresses):
        if names.count(each) > 1 or addresses.count(each) > 1:
            raise SettingsError(
                ENDPOINTS, f"has the endpoint {each!r} twice", SERVICE_EXAMPLE,
                instead=f"{ENDPOINTS}__east__serviceUri",
            )  # fmt: skip
    return tuple(found)


def _connection(environment: Mapping[str, str]) -> list[EndpointSettings]:
    """Return the endpoint of the connection; a connection string goes before its parts."""
    found = _below(environment, CONNECTION)
    text = found.get(()) or _below(environment, "ConnectionStrings", CONNECTION).get(())
    if text is not None:
        # They are left alone beside a connection string, but a slip in a name is told all the same.
        _parts(CONNECTION, {path: each for path, each in found.items() if path})
        return [_from_string(text, environment)]
    return [_from_parts(CONNECTION, found, environment)] if found else []


def _named_endpoints(environment: Mapping[str, str]) -> list[EndpointSettings]:
    """Return the endpoints with names of their own."""
    *above, last = ENDPOINTS.split("__")
    for path, setting in _below(environment, *above).items():
        # Others keep settings of their own there, whose names are not like this one.
        if path and path[0] != last.lower() and _nearest(path[0], [last]):
            raise SettingsError(
                setting.name,
                f"is not known; the nearest name is {ENDPOINTS}",
                SERVICE_EXAMPLE,
                instead=f"{ENDPOINTS}__east__serviceUri",
            )
    named: dict[str, dict[tuple[str, ...], _Setting]] = {}
    for path, setting in _below(environment, *above, last).items():
        if not path or not path[0]:
            raise SettingsError(
                setting.name,
                "names no endpoint; its name comes last",
                SERVICE_EXAMPLE,
                instead=f"{ENDPOINTS}__east__serviceUri",
            )
        named.setdefault(path[0], {})[path[1:]] = setting
    return [each for name, found in named.items() for each in _named(name, found, environment)]


def _named(name: str, found: _Found, environment: Mapping[str, str]) -> Iterator[EndpointSettings]:
    parts: dict[tuple[str, ...], _Setting] = {}
    for path, setting in found.items():
        if path in _STRINGS:
            yield _from_string(setting, environment, name, _STRINGS[path])
        else:
            parts[path] = setting
    if parts:
        yield _from_parts(f"{ENDPOINTS}__{name}", parts, environment, name)


def _below(environment: Mapping[str, str], *prefix: str) -> _Found:
    """Return the settings under a prefix: their name and value, by what follows the prefix.

    The Functions host reads '__' in app settings and ':' in local.settings.json as the same, and
    the case of letters does not count.

    Raises:
        SettingsError: Two spellings of one setting have different values.
    """
    wanted = [each.lower() for each in prefix]
    found: dict[tuple[str, ...], _Setting] = {}
    for setting, value in environment.items():
        path = re.split("__|:", setting.lower())
        if path[: len(wanted)] == wanted and value.strip():
            known = found.setdefault(tuple(path[len(wanted) :]), _Setting(setting, value.strip()))
            if known.value != value.strip():
                raise SettingsError(
                    setting, f"and {known.name} are one setting with two values", "<one value>"
                )
    return found


def _from_string(
    setting: _Setting,
    environment: Mapping[str, str],
    name: str = "",
    type_: EndpointType = EndpointType.PRIMARY,
) -> EndpointSettings:
    # Not above: an app has a connection string or parts, and a start needs one of them.
    from .connection_string import read_connection_string  # noqa: PLC0415

    return read_connection_string(setting.name, setting.value, environment, name=name, type=type_)


def _from_parts(
    connection: str,
    found: _Found,
    environment: Mapping[str, str],
    name: str = "",
) -> EndpointSettings:
    parts = _parts(connection, found)
    if "serviceuri" not in parts:
        raise SERVICE_URI.of(connection).error("is not set")
    return read_parts(connection, parts, environment, name)


def _parts(connection: str, found: _Found) -> Mapping[str, str]:
    """Return the values by the parts' names in lower case.

    Raises:
        SettingsError: A connection has no such part.
    """
    parts: dict[str, str] = {}
    for path, (setting, value) in found.items():
        part = "__".join(path)
        if part not in PARTS:
            raise _unknown_part(connection, setting, part)
        parts[part] = value
    return parts


def _unknown_part(connection: str, setting: str, part: str) -> SettingsError:
    names = sorted(each.name for each in PARTS.values())
    near = _nearest(part, names)
    meant = SERVICE_URI if near is None else PARTS[near.lower()]
    hint = "" if near is None else f"the nearest name is {near}; "
    return SettingsError(
        setting,
        f"is not known; {hint}{connection} has {', '.join(names)}",
        meant.example,
        instead=meant.of(connection).name,
    )


def _nearest(name: str, right: list[str]) -> str | None:
    from ..spelling import nearest  # noqa: PLC0415  no start needs it that goes well

    return nearest(name, right)


def read_token_origin(environment: Mapping[str, str]) -> TokenOrigin:
    """Read who makes client tokens; as `read_endpoints`."""
    value = _TOKENS.read(environment).lower() or TokenOrigin.ACCESS_KEY.value
    try:
        return TokenOrigin(value)
    except ValueError:
        known = ", ".join(each.value for each in TokenOrigin)
        raise _TOKENS.error(f"is {value!r}, and it is one of {known}") from None


def read_application(environment: Mapping[str, str]) -> str:
    """Read the application's name, in lower case and "" for none; as `read_endpoints`."""
    try:
        return check_application(_APPLICATION.read(environment))
    except InvalidArgumentError as error:
        raise _APPLICATION.error(f"is wrong: {error.problem}") from None


def read_message_tracing(environment: Mapping[str, str]) -> bool:
    """Read whether sends have a name in the service's messaging logs; as `read_endpoints`."""
    return _MESSAGE_TRACING.read_switch(environment, default=False)


def _application_of(hubs: Hubs, environment: Mapping[str, str]) -> str:
    application = read_application(environment)
    for hub in hubs.listed:
        try:
            prefixed_hub(application, hub.removesuffix("*"))
        except InvalidArgumentError:
            raise _APPLICATION.error(
                f"is too long: with the hub {hub!r} of {_HUBS.name} and a _ between them it may"
                f" have {MAX_HUB_LENGTH} characters"
            ) from None
    return application


def _hubs(environment: Mapping[str, str]) -> Hubs:
    names = _HUBS.read_list(environment)
    if not names:
        raise _HUBS.error("is not set: the hubs that this app serves")
    try:
        hubs = Hubs.of(names)
    except InvalidArgumentError as error:
        raise _HUBS.error(f"is wrong: {error}") from None
    default = _DEFAULT_HUB.read(environment).lower()
    if not default:
        return hubs
    if "*" in default:
        raise _DEFAULT_HUB.error(f"is {default!r}, and one hub alone can be the default")
    if not hubs.serves(default):
        example = hubs.default or hubs.patterns[0].replace("*", "main")
        raise _DEFAULT_HUB.error(f"is {default!r}, which is not in {_HUBS.name}", example)
    return hubs._replace(default=default)
