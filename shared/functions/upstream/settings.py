"""The settings by which calls of the service are verified."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ...settings.connection import EndpointSettings, endpoint_url
from ...settings.description import Setting
from ..bearer import Issuer

__all__ = ["SETTINGS", "UpstreamSettings"]

_TENANT: Final = Setting(
    "UPSTREAM_TENANT_ID",
    "tenant of the SignalR resource, whose managed identity calls `upstream`",
    "00000000-0000-0000-0000-000000000000",
    "none: every call is answered 401",
)
_AUDIENCE: Final = Setting(
    "UPSTREAM_AUDIENCE",
    "audience of that identity's tokens: the resource in the upstream settings",
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
    "where the tenant's public keys are; `http` for this machine only",
    "https://login.microsoftonline.com/common/discovery/keys",
    "the one that the issuer `https://sts.windows.net/<tenant>/` names",
)
SETTINGS: Final = (_TENANT, _AUDIENCE, _IDENTITIES, _KEYS_URL)
"""All of them."""
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """How the service proves that a call is its own.

    With neither an issuer nor access keys it cannot, and no call is accepted.

    Args:
        issuer: Who issues the Entra tokens of the service's managed identity.
        identities: Client ids or object ids of the identities that may call, in lower case; with
            none, every identity that has such a token.
        access_keys: Access keys of emulators on this machine, which sign calls.
    """

    issuer: Issuer | None = None
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
        keys = (each.credential.access_key for each in endpoints)
        return cls(
            issuer=_issuer(environment, given[0]) if given else None,
            identities=_identities(environment),
            access_keys=tuple(key.encode() for key in keys if key),
        )


def _issuer(environment: Mapping[str, str], given: Setting) -> Issuer:
    for needed in (_TENANT, _AUDIENCE):
        if not needed.read(environment):
            raise needed.error(f"is not set, and {given.name} needs it")
    tenant = _TENANT.read(environment).lower()
    if not _GUID.fullmatch(tenant):
        raise _TENANT.error(f"is {tenant!r}, no id of a tenant")
    return Issuer(
        # Tokens of managed identities have version 1, whatever the audience.
        issuer=f"https://sts.windows.net/{tenant}/",
        audiences=(_AUDIENCE.read(environment),),
        jwks_uri=_keys_url(environment),
    )


def _keys_url(environment: Mapping[str, str]) -> str | None:
    value = _KEYS_URL.read(environment)
    return endpoint_url(_KEYS_URL.name, value, _KEYS_URL.example) if value else None


def _identities(environment: Mapping[str, str]) -> frozenset[str]:
    names = frozenset(name.lower() for name in _IDENTITIES.read_list(environment))
    for name in names:
        if not _GUID.fullmatch(name):
            problem = f"has {name!r}, which is neither a client id nor an object id"
            raise _IDENTITIES.error(problem)
    return names
