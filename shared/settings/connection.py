"""One endpoint in the settings: the identity-based connection of the Functions extension.

The parts are `<connection>__serviceUri` and its like. `settings.connection_string` reads the other
form.
"""

import math
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from ..errors import SettingsError
from .credential import CredentialSettings
from .credential_parts import CREDENTIAL_PARTS, read_credential
from .description import Setting
from .endpoint import AUDIENCE, Endpoint, EndpointType, is_loopback

__all__ = [
    "ALLOW_HTTP_HOSTS",
    "CONNECTION_STRING_EXAMPLE",
    "PARTS",
    "SERVICE_EXAMPLE",
    "SERVICE_URI",
    "EndpointSettings",
    "endpoint_url",
    "read_http_hosts",
    "read_parts",
]

SERVICE_EXAMPLE: Final = "https://contoso.service.signalr.net"

CONNECTION_STRING_EXAMPLE: Final = f"Endpoint={SERVICE_EXAMPLE};AuthType=azure.msi;Version=1.0;"

ALLOW_HTTP_HOSTS: Final = Setting(
    "SIGNALR_ALLOW_HTTP_HOSTS",
    "hosts beside this machine that are reached by `http`, separated by commas: those of an"
    " [emulator in a container](containers.md). Whoever is between can read tokens and keys, so it"
    " is refused in Azure",
    "signalr",
    "none: `http` for this machine only",
)
SERVICE_URI: Final = Setting(
    "serviceUri",
    f"address of the service; `http` for this machine and `{ALLOW_HTTP_HOSTS.name}` only",
    SERVICE_EXAMPLE,
    "required, unless there is a connection string",
)
_CLIENT_ENDPOINT: Final = Setting(
    "clientEndpoint",
    "where clients connect, if a gateway stands before the service",
    "https://chat.contoso.com",
    "the service",
)
_SERVER_ENDPOINT: Final = Setting(
    "serverEndpoint",
    "where the app calls the REST API",
    "https://signalr.contoso.internal",
    "the service",
)
_AUDIENCE: Final = Setting(
    "audience", "audience of Entra tokens", AUDIENCE, f"`{AUDIENCE}`, in every cloud"
)
_TYPE: Final = Setting(
    "type",
    "`primary`, or `secondary`: takes clients only while no primary is healthy",
    "secondary",
    "`primary`",
)
_WEIGHT: Final = Setting("weight", "its share of the clients among endpoints", "2", "1")

PARTS: Final[Mapping[str, Setting]] = {
    part.name.lower(): part
    for part in (
        SERVICE_URI,
        *CREDENTIAL_PARTS,
        _CLIENT_ENDPOINT,
        _SERVER_ENDPOINT,
        _AUDIENCE,
        _TYPE,
        _WEIGHT,
    )
}
"""The parts of a connection, by their names in lower case."""

_ADDRESS: Final = re.compile(
    r"https?://(?:[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*|\[[0-9a-f:.]+])"
    r"(?::[0-9]+)?(?:/[!\"$->@-~]*)?",
    re.ASCII | re.IGNORECASE,
)
"""Scheme, host, port and path; neither a user nor a query nor a fragment."""

_HOST: Final = re.compile(
    r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*|[0-9a-f]*:[0-9a-f.:]*", re.ASCII
)
_INSTANCE: Final = "WEBSITE_INSTANCE_ID"
"""What App Service sets wherever an app runs in Azure."""


class EndpointSettings(NamedTuple):
    """One endpoint, and this app's identity there."""

    endpoint: Endpoint
    credential: CredentialSettings


def read_http_hosts(environment: Mapping[str, str]) -> frozenset[str]:
    """Read which hosts beside this machine are reached by http, in lower case.

    Args:
        environment: Names and values, as in `os.environ`.

    Raises:
        SettingsError: One is no host, or the app runs in Azure.
    """
    hosts = frozenset(
        host.lower().removeprefix("[").removesuffix("]")
        for host in ALLOW_HTTP_HOSTS.read_list(environment)
    )
    for host in hosts:
        if _HOST.fullmatch(host) is None:
            problem = f"has {host!r}, and a host is a name or an address without scheme and port"
            raise ALLOW_HTTP_HOSTS.error(problem)
    if hosts and environment.get(_INSTANCE):
        raise SettingsError(
            ALLOW_HTTP_HOSTS.name,
            "is set in Azure, where nobody between may read tokens and keys: remove it, and name"
            " the service by https",
            SERVICE_EXAMPLE,
            instead=f"AzureSignalRConnectionString__{SERVICE_URI.name}",
        )
    return hosts


def read_parts(
    connection: str, parts: Mapping[str, str], environment: Mapping[str, str], name: str = ""
) -> EndpointSettings:
    """Read a connection.

    Args:
        connection: What stands before the parts in the settings' names, for errors.
        parts: Values by the parts' names in lower case, `serviceuri` among them.
        environment: The process environment, which tells whether there is a managed identity, and
            which hosts are reached by http.
        name: Name of the endpoint.

    Raises:
        SettingsError: A part is wrong.
    """
    http_hosts = read_http_hosts(environment)

    def url(part: Setting) -> str:
        value = parts.get(part.name.lower())
        if value is None:
            return ""
        return endpoint_url(part.of(connection).name, value, http_hosts)

    endpoint = Endpoint(
        url(SERVICE_URI),
        url(_CLIENT_ENDPOINT),
        url(_SERVER_ENDPOINT),
        name=name,
        type=_type(connection, parts.get("type")),
        weight=_weight(connection, parts.get("weight")),
        audience=_audience(connection, parts.get("audience")),
    )
    return EndpointSettings(endpoint, read_credential(connection, parts, environment))


def endpoint_url(
    setting: str,
    value: str,
    http_hosts: AbstractSet[str],
    example: str = SERVICE_EXAMPLE,
    *,
    verb: str = "is",
) -> str:
    """Return an address of the service, without a trailing slash.

    Args:
        setting: Name of the setting, for the error.
        value: The address. The error does not repeat it, since it may hold a whole connection
            string by mistake.
        http_hosts: Hosts beside this machine that are reached by http, in lower case.
        example: A right value.
        verb: What the error says between the setting's name and what the address is.

    Raises:
        SettingsError: It is no http or https address, or http to a host that is not named.
    """
    try:
        parts = urlsplit(value)
        usable = _ADDRESS.fullmatch(value) is not None and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        problem = f"{verb} no service address, which is https, a host and nothing after its path"
        raise SettingsError(setting, problem, example)
    if parts.scheme == "http" and not is_loopback(value) and parts.hostname not in http_hosts:
        problem = (
            f"{verb} http, and that is for this machine only; the host of an emulator elsewhere is"
            f" named in {ALLOW_HTTP_HOSTS.name}"
        )
        raise SettingsError(setting, problem, example)
    return parts.geturl().rstrip("/")


def _type(connection: str, value: str | None) -> EndpointType:
    try:
        return EndpointType((value or "primary").lower())
    except ValueError:
        problem = f"is {value!r}, and it is primary or secondary"
        raise _TYPE.of(connection).error(problem) from None


def _weight(connection: str, value: str | None) -> float:
    try:
        weight = float(value or "1")
    except ValueError:
        weight = 0.0
    if not (math.isfinite(weight) and weight > 0):
        raise _WEIGHT.of(connection).error(f"is {value!r}, no positive number")
    return weight


def _audience(connection: str, value: str | None) -> str:
    audience = (value or AUDIENCE).removesuffix("/.default").rstrip("/")
    if not audience or any(character.isspace() for character in audience):
        raise _AUDIENCE.of(connection).error(f"is {value!r}, no audience")
    return audience
