"""The settings of the service client, read from the environment of a Function App.

Names of the connection are those of the Functions identity-based connection, so that an app moves
over from the SignalR bindings with the settings it has.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from shared.credential import CredentialKind, CredentialSettings
from shared.endpoint import Endpoint, is_loopback
from shared.errors import InvalidArgumentError, SettingsError, UnknownHubError
from shared.names import check_hub

__all__ = ["CONNECTION", "Settings"]

CONNECTION: Final = "AzureSignalRConnectionString"
"""Prefix of the connection's settings."""

_SERVICE_EXAMPLE: Final = "https://contoso.service.signalr.net"
_HUBS: Final = "SIGNALR_HUBS"
_DEFAULT_HUB: Final = "SIGNALR_DEFAULT_HUB"
_PARTS: Final = {
    name.lower(): name
    for name in (
        "serviceUri",
        "clientEndpoint",
        "serverEndpoint",
        "credential",
        "clientId",
        "tenantId",
        "clientSecret",
    )
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the service client needs to know.

    Args:
        endpoint: The service instance.
        credential: The app's own identity.
        hubs: Names in lower case of the hubs that this app serves; no other hub can be reached.
        default_hub: The hub of a request that names none.
    """

    endpoint: Endpoint
    credential: CredentialSettings
    hubs: frozenset[str]
    default_hub: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings.

        Args:
            environment: Names and values, as in `os.environ`.

        Raises:
            SettingsError: A setting is missing or wrong. It names the setting and shows a right
                value.
        """
        connection = _connection(environment)
        hubs = _hubs(environment)
        return cls(
            endpoint=_endpoint(connection),
            credential=_credential(connection, environment),
            hubs=frozenset(hubs),
            default_hub=_default_hub(environment, hubs),
        )

    def hub(self, name: str | None) -> str:
        """Return the hub that a request means, in lower case.

        Args:
            name: The hub's name as the request has it, or `None` for the default hub.

        Raises:
            UnknownHubError: This app does not serve the hub.
        """
        if name is None:
            return self.default_hub
        hub = name.lower()
        if hub not in self.hubs:
            raise UnknownHubError(name)
        return hub


def _connection(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the parts of the identity-based connection by their names in lower case."""
    prefix = CONNECTION.lower()
    parts: dict[str, str] = {}
    for name, value in environment.items():
        # The Functions host reads '__' in app settings and ':' in local.settings.json.
        match = re.fullmatch(r"(.+?)(?:__|:)(.+)", name)
        if match is None or match[1].lower() != prefix or not value.strip():
            continue
        part = match[2].lower()
        if part not in _PARTS:
            raise SettingsError(
                name,
                f"is not known; {CONNECTION} has {', '.join(sorted(_PARTS.values()))}",
                _SERVICE_EXAMPLE,
                instead=_setting("serviceUri"),
            )
        parts[part] = value.strip()
    if "serviceuri" not in parts:
        _refuse_connection_string(environment)
        raise SettingsError(_setting("serviceUri"), "is not set", _SERVICE_EXAMPLE)
    return parts


def _refuse_connection_string(environment: Mapping[str, str]) -> None:
    if environment.get(CONNECTION, "").strip():
        raise SettingsError(
            CONNECTION,
            "is a connection string, and this app works without access keys: name the service's "
            "address instead",
            _SERVICE_EXAMPLE,
            instead=_setting("serviceUri"),
        )


def _endpoint(connection: Mapping[str, str]) -> Endpoint:
    def url(part: str) -> str:
        value = connection.get(part.lower())
        return "" if value is None else _url(_setting(part), value)

    return Endpoint(url("serviceUri"), url("clientEndpoint"), url("serverEndpoint"))


def _url(setting: str, value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise SettingsError(setting, f"is {value!r}, which is no service address", _SERVICE_EXAMPLE)
    if parts.scheme == "http" and not is_loopback(value):
        raise SettingsError(
            setting, f"is {value!r}: http is accepted for this machine only", _SERVICE_EXAMPLE
        )
    return value.rstrip("/")


def _credential(
    connection: Mapping[str, str], environment: Mapping[str, str]
) -> CredentialSettings:
    named = connection.get("credential")
    if named is not None and named.lower() != CredentialKind.MANAGED_IDENTITY.value:
        raise SettingsError(
            _setting("credential"), f"is {named!r}, which is not known", "managedidentity"
        )
    secret = connection.get("clientsecret")
    if secret is not None:
        for part in ("clientId", "tenantId"):
            if part.lower() not in connection:
                raise SettingsError(
                    _setting(part),
                    f"is not set, and {_setting('clientSecret')} needs it",
                    "00000000-0000-0000-0000-000000000000",
                )
        kind = CredentialKind.CLIENT_SECRET
    elif named is not None or "IDENTITY_ENDPOINT" in environment:
        kind = CredentialKind.MANAGED_IDENTITY
    else:
        kind = CredentialKind.DEFAULT
    return CredentialSettings(
        kind, connection.get("clientid"), connection.get("tenantid"), client_secret=secret
    )


def _hubs(environment: Mapping[str, str]) -> list[str]:
    value = environment.get(_HUBS, "")
    names = [name.strip() for name in value.split(",") if name.strip()]
    if not names:
        raise SettingsError(
            _HUBS, "is not set: the hubs that this app serves", "chat,notifications"
        )
    try:
        return [check_hub(name) for name in names]
    except InvalidArgumentError as error:
        raise SettingsError(_HUBS, f"is wrong: {error}", "chat,notifications") from None


def _default_hub(environment: Mapping[str, str], hubs: list[str]) -> str:
    value = environment.get(_DEFAULT_HUB, "").strip().lower()
    if value and value not in hubs:
        raise SettingsError(_DEFAULT_HUB, f"is {value!r}, which is not in {_HUBS}", hubs[0])
    return value or hubs[0]


def _setting(part: str) -> str:
    return f"{CONNECTION}__{part}"
