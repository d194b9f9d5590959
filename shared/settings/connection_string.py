"""One endpoint in the settings: the connection string of Azure SignalR Service.

The grammar is that of the SDK for .NET (`ConnectionStringParser`) and of the page on connection
strings in the service's documentation.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from ..errors import SettingsError
from ..spelling import nearest
from .connection import (
    CONNECTION_STRING_EXAMPLE,
    EndpointSettings,
    endpoint_url,
    read_http_hosts,
)
from .credential import CredentialKind, CredentialSettings
from .endpoint import Endpoint, EndpointType, is_loopback, without_port

__all__ = ["read_connection_string"]

_APP_EXAMPLE: Final = (
    "Endpoint=https://contoso.service.signalr.net;AuthType=azure.app;ClientId=<client id>;"
    "TenantId=<tenant id>;ClientCertPath=/path/to/certificate.pem;Version=1.0;"
)

_NAMES: Final = (
    "Endpoint", "AccessKey", "AuthType", "ClientId", "TenantId", "ClientSecret", "ClientCertPath",
    "ClientCert", "ClientEndpoint", "ServerEndpoint", "Version", "Port",
)  # fmt: skip
_KEYS: Final = {name.lower(): name.lower() for name in _NAMES} | {"clientcert": "clientcertpath"}
"""The parts by their names in lower case. The parser of the SDK for .NET reads the certificate's
path under one name, and the documentation tells the other."""

_VERSION: Final = re.compile(r"1\.\d+(?:[\w\-.]+)?")
_PORT: Final = re.compile(r"[0-9]{1,5}")
_PORTS: Final = range(1, 65536)


def read_connection_string(
    setting: str,
    text: str,
    environment: Mapping[str, str],
    *,
    name: str = "",
    type: EndpointType = EndpointType.PRIMARY,  # noqa: A002  the service's own name
) -> EndpointSettings:
    """Read a connection string.

    Args:
        setting: Name of the setting that holds it, for errors.
        text: The connection string. No error repeats a value of it.
        environment: The process environment, which tells which hosts are reached by http.
        name: Name of the endpoint.
        type: When clients are sent to it.

    Raises:
        SettingsError: It breaks the grammar, or has an access key for a service in Azure.
    """
    parts = _parts(setting, text)
    http_hosts = read_http_hosts(environment)

    def url(key: str) -> str:
        if key.lower() not in parts:
            return ""
        verb = f"has {key}, which is"
        return endpoint_url(
            setting, parts[key.lower()], http_hosts, CONNECTION_STRING_EXAMPLE, verb=verb
        )

    if "endpoint" not in parts:
        raise SettingsError(setting, "names no Endpoint", CONNECTION_STRING_EXAMPLE)
    _check_version(setting, parts.get("version"))
    endpoint = Endpoint(
        _with_port(setting, url("Endpoint"), parts.get("port")),
        url("ClientEndpoint"),
        url("ServerEndpoint"),
        name=name,
        type=type,
    )
    credential = _credential(setting, endpoint, parts)
    return EndpointSettings(
        endpoint, replace(credential, because=_reason(setting, credential, parts))
    )


def _parts(setting: str, text: str) -> Mapping[str, str]:
    """Return the values by the parts' names in lower case.

    The SDK for .NET reads over what it does not know, and the app would run without it.
    """
    parts: dict[str, str] = {}
    for part in text.split(";"):
        if not part.strip():
            continue
        name, equals, value = part.partition("=")
        if not equals:
            raise SettingsError(setting, "has a part without '='", CONNECTION_STRING_EXAMPLE)
        key = _KEYS.get(name.strip().lower())
        if key is None:
            raise SettingsError(setting, _unknown(name.strip()), CONNECTION_STRING_EXAMPLE)
        if key in parts:
            raise SettingsError(setting, f"has {key!r} twice", CONNECTION_STRING_EXAMPLE)
        parts[key] = value.strip()
    return {key: value for key, value in parts.items() if value}


def _unknown(name: str) -> str:
    near = nearest(name, _NAMES)
    if near is None:
        # Not what it is called: a key that stands where a name belongs would be in the log.
        return f"has a part that is not known, and may have {', '.join(_NAMES)}"
    return f"has {name!r}, which is not known; the nearest name is {near}"


def _check_version(setting: str, version: str | None) -> None:
    if version is not None and _VERSION.fullmatch(version) is None:
        raise SettingsError(
            setting, "has a Version that is not supported", CONNECTION_STRING_EXAMPLE
        )


def _with_port(setting: str, url: str, port: str | None) -> str:
    if port is None:
        return url
    if not (_PORT.fullmatch(port) and int(port) in _PORTS):
        raise SettingsError(
            setting, "has a Port that is not from 1 to 65535", CONNECTION_STRING_EXAMPLE
        )
    return f"{without_port(url)}:{port}{urlsplit(url).path}"


def _credential(setting: str, endpoint: Endpoint, parts: Mapping[str, str]) -> CredentialSettings:
    match parts.get("authtype", "").lower():
        case "azure":
            return CredentialSettings(CredentialKind.DEFAULT)
        case "azure.msi":
            return CredentialSettings(
                CredentialKind.MANAGED_IDENTITY, client_id=parts.get("clientid")
            )
        case "azure.app":
            return _app(setting, parts)
        case "aad" if "clientid" in parts and "tenantid" in parts:
            return _app(setting, parts)
        case "aad":
            return CredentialSettings(
                CredentialKind.MANAGED_IDENTITY, client_id=parts.get("clientid")
            )
        case _:
            return _access_key(setting, endpoint, parts)


def _reason(setting: str, credential: CredentialSettings, parts: Mapping[str, str]) -> str:
    if credential.kind is CredentialKind.ACCESS_KEY:
        return f"{setting} has an AccessKey"
    return f"{setting} has AuthType={parts['authtype']}"


def _app(setting: str, parts: Mapping[str, str]) -> CredentialSettings:
    for key in ("ClientId", "TenantId"):
        if key.lower() not in parts:
            raise SettingsError(setting, f"names an app registration and no {key}", _APP_EXAMPLE)
    client_id, tenant_id = parts["clientid"], parts["tenantid"]
    secret = parts.get("clientsecret")
    if secret is not None:
        return CredentialSettings(
            CredentialKind.CLIENT_SECRET, client_id, tenant_id, client_secret=secret
        )
    path = parts.get("clientcertpath")
    if path is None:
        raise SettingsError(
            setting,
            "names an app registration and no ClientSecret or ClientCertPath",
            _APP_EXAMPLE,
        )
    return CredentialSettings(
        CredentialKind.CLIENT_CERTIFICATE, client_id, tenant_id, certificate_path=path
    )


def _access_key(setting: str, endpoint: Endpoint, parts: Mapping[str, str]) -> CredentialSettings:
    key = parts.get("accesskey")
    if key is None:
        raise SettingsError(
            setting,
            "has neither AuthType=azure, azure.msi or azure.app nor an AccessKey",
            CONNECTION_STRING_EXAMPLE,
        )
    if not is_loopback(endpoint.url):
        raise SettingsError(
            setting,
            "has an AccessKey, and this app works without one: a key that leaks opens the service"
            " to anybody. Give the app's identity the role SignalR Service Owner and name how it"
            " logs in",
            CONNECTION_STRING_EXAMPLE,
        )
    return CredentialSettings(CredentialKind.ACCESS_KEY, access_key=key)
