"""The settings by which calls of the service are verified.

Sources: "Access token claims reference" of the Microsoft identity platform for the versions of
tokens, "National clouds" there for the hosts.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ...settings.connection import (
    ALLOW_HTTP_HOSTS,
    EndpointSettings,
    endpoint_url,
    read_http_hosts,
)
from ...settings.description import Setting
from ..issuers.bearer import Issuer

__all__ = ["SETTINGS", "UpstreamSettings"]

_TENANT: Final = Setting(
    "UPSTREAM_TENANT_ID",
    "tenant of the SignalR resource, whose managed identity calls `upstream`",
    "00000000-0000-0000-0000-000000000000",
    "none: every call is answered 401",
)
_AUDIENCE: Final = Setting(
    "UPSTREAM_AUDIENCE",
    "audiences of that identity's tokens, separated by commas: the resource in the upstream"
    " settings; for tokens of version 2, the client id of its app registration",
    "api://my-app",
    "required with the tenant",
)
_IDENTITIES: Final = Setting(
    "UPSTREAM_IDENTITIES",
    "client ids or object ids of the identities that may call, separated by commas",
    "00000000-0000-0000-0000-000000000000",
    "every identity of the tenant that can get a token for the audience",
)
_KEYS_URL: Final = Setting(
    "UPSTREAM_KEYS_URL",
    "where the tenant's public keys are; `http` for this machine and"
    f" `{ALLOW_HTTP_HOSTS.name}` only",
    "https://login.microsoftonline.com/common/discovery/keys",
    "those that Entra ID has for each version of tokens, in the cloud of the service",
)
SETTINGS: Final = (_TENANT, _AUDIENCE, _IDENTITIES, _KEYS_URL)
"""All of them."""
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class _Entra(NamedTuple):
    """Who issues tokens in one cloud, by their version."""

    version_1: str
    version_2: str


_PUBLIC: Final = _Entra("https://sts.windows.net", "https://login.microsoftonline.com")
_NATIONAL: Final = {
    "https://login.microsoftonline.us": _Entra(
        "https://sts.windows.net", "https://login.microsoftonline.us"
    ),
    "https://login.chinacloudapi.cn": _Entra(
        "https://sts.chinacloudapi.cn", "https://login.partner.microsoftonline.cn"
    ),
}
"""Issuers of the clouds of their own, by the authority host of an endpoint."""


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """How the service proves that a call is its own.

    With neither issuers nor access keys it cannot, and no call is accepted.

    Args:
        issuers: Who issues the Entra tokens of the service's managed identity: the tenant has a
            name and keys for each version of tokens.
        identities: Client ids or object ids of the identities that may call, in lower case; with
            none, every identity that has such a token.
        access_keys: Access keys of emulators on this machine, which sign calls.
    """

    issuers: tuple[Issuer, ...] = ()
    identities: frozenset[str] = frozenset()
    access_keys: tuple[bytes, ...] = field(default=(), repr=False)

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str], endpoints: Iterable[EndpointSettings]
    ) -> "UpstreamSettings":
        """Read the settings.

        Args:
            environment: Names and values, as in `os.environ`.
            endpoints: The endpoints of the service, some of which may have an access key.

        Raises:
            SettingsError: A setting is missing or wrong.
        """
        given = [each for each in SETTINGS if each.read(environment)]
        endpoints = tuple(endpoints)
        keys = (each.credential.access_key for each in endpoints)
        return cls(
            issuers=_issuers(environment, given[0], _entra(endpoints)) if given else (),
            identities=_identities(environment),
            access_keys=tuple(key.encode() for key in keys if key),
        )


def _entra(endpoints: Iterable[EndpointSettings]) -> _Entra:
    hosts = (each.endpoint.authority_host for each in endpoints)
    return next((_NATIONAL[host] for host in hosts if host is not None), _PUBLIC)


def _issuers(environment: Mapping[str, str], given: Setting, entra: _Entra) -> tuple[Issuer, ...]:
    for needed in (_TENANT, _AUDIENCE):
        if not needed.read_list(environment):
            raise needed.error(f"is not set, and {given.name} needs it")
    tenant = _TENANT.read(environment).lower()
    if not _GUID.fullmatch(tenant):
        raise _TENANT.error(f"is {tenant!r}, no id of a tenant")
    audiences, keys_url = tuple(_AUDIENCE.read_list(environment)), _keys_url(environment)
    # Only version 2 is described below its own name in each cloud.
    keys_of_version_1 = f"{entra.version_2}/common/discovery/keys"
    return (
        Issuer(f"{entra.version_1}/{tenant}/", audiences, keys_url or keys_of_version_1),
        Issuer(f"{entra.version_2}/{tenant}/v2.0", audiences, keys_url),
    )


def _keys_url(environment: Mapping[str, str]) -> str | None:
    value = _KEYS_URL.read(environment)
    if not value:
        return None
    return endpoint_url(_KEYS_URL.name, value, read_http_hosts(environment), _KEYS_URL.example)


def _identities(environment: Mapping[str, str]) -> frozenset[str]:
    names = frozenset(name.lower() for name in _IDENTITIES.read_list(environment))
    for name in names:
        if not _GUID.fullmatch(name):
            problem = f"has {name!r}, which is neither a client id nor an object id"
            raise _IDENTITIES.error(problem)
    return names
