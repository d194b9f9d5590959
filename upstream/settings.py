"""The settings by which calls of the service are verified."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.bearer import Issuer
from shared.connection import EndpointSettings, endpoint_url
from shared.errors import SettingsError

__all__ = ["UpstreamSettings"]

_TENANT: Final = "UPSTREAM_TENANT_ID"
_AUDIENCE: Final = "UPSTREAM_AUDIENCE"
_IDENTITIES: Final = "UPSTREAM_IDENTITIES"
_KEYS_URL: Final = "UPSTREAM_KEYS_URL"
_EXAMPLES: Final = {
    _TENANT: "00000000-0000-0000-0000-000000000000",
    _AUDIENCE: "api://my-app",
    _IDENTITIES: "00000000-0000-0000-0000-000000000000",
    _KEYS_URL: "https://login.microsoftonline.com/common/discovery/keys",
}
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
        values = {name: environment.get(name, "").strip() for name in _EXAMPLES}
        given = {name: value for name, value in values.items() if value}
        keys = (each.credential.access_key for each in endpoints)
        return cls(
            issuer=_issuer(given) if given else None,
            identities=_identities(given.get(_IDENTITIES, "")),
            access_keys=tuple(key.encode() for key in keys if key),
        )


def _issuer(given: Mapping[str, str]) -> Issuer:
    for name in (_TENANT, _AUDIENCE):
        if name not in given:
            other = next(iter(given))
            raise SettingsError(name, f"is not set, and {other} needs it", _EXAMPLES[name])
    tenant = given[_TENANT].lower()
    if not _GUID.fullmatch(tenant):
        raise SettingsError(_TENANT, f"is {tenant!r}, no id of a tenant", _EXAMPLES[_TENANT])
    return Issuer(
        # Tokens of managed identities have version 1, whatever the audience.
        issuer=f"https://sts.windows.net/{tenant}/",
        audiences=(given[_AUDIENCE],),
        jwks_uri=_keys_url(given.get(_KEYS_URL)),
    )


def _keys_url(value: str | None) -> str | None:
    return None if value is None else endpoint_url(_KEYS_URL, value, _EXAMPLES[_KEYS_URL])


def _identities(value: str) -> frozenset[str]:
    names = frozenset(name.strip().lower() for name in value.split(",") if name.strip())
    for name in names:
        if not _GUID.fullmatch(name):
            raise SettingsError(
                _IDENTITIES,
                f"has {name!r}, which is neither a client id nor an object id",
                _EXAMPLES[_IDENTITIES],
            )
    return names
