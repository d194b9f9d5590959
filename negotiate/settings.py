"""The settings of negotiation, read from the environment of the Function App."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from negotiate.claims import ClaimMapping, parse_claim_mappings
from shared.bearer import Issuer
from shared.endpoint import is_loopback
from shared.errors import SettingsError

__all__ = ["Identity", "NegotiateSettings"]

_IDENTITY: Final = "NEGOTIATE_IDENTITY"
_LIFETIME: Final = "NEGOTIATE_TOKEN_LIFETIME_MINUTES"
_LONGEST_LIFETIME: Final = 90
_CLAIMS: Final = "NEGOTIATE_CLAIMS"
_ISSUER: Final = "NEGOTIATE_OIDC_ISSUER"
_AUDIENCE: Final = "NEGOTIATE_OIDC_AUDIENCE"
_JWKS_URI: Final = "NEGOTIATE_OIDC_JWKS_URI"
_USER_ID_CLAIM: Final = "NEGOTIATE_OIDC_USER_ID_CLAIM"
_ISSUER_EXAMPLE: Final = "https://login.microsoftonline.com/<tenant id>/v2.0"


class Identity(Enum):
    """How a caller proves who it is."""

    ANONYMOUS = "anonymous"
    """Nobody is asked, and connections belong to no user."""

    APP_SERVICE = "app-service"
    """App Service authentication has logged the caller in and says so in a header."""

    OIDC = "oidc"
    """The caller shows a bearer token of an OpenID Connect issuer."""


@dataclass(frozen=True, slots=True)
class NegotiateSettings:
    """What negotiation needs to know.

    Args:
        identities: How a caller may prove who it is, in the order in which it is asked.
        token_lifetime: Minutes for which a client may connect with its token.
        claims: Claims of the caller that go into the client token.
        issuer: Whose bearer tokens are accepted, where callers show one.
        user_id_claim: The claim of a bearer token that is the user id.
    """

    identities: tuple[Identity, ...]
    token_lifetime: int = 60
    claims: tuple[ClaimMapping, ...] = ()
    issuer: Issuer | None = None
    user_id_claim: str = "sub"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "NegotiateSettings":
        """Read the settings.

        Args:
            environment: Names and values, as in `os.environ`.

        Raises:
            SettingsError: A setting is missing or wrong.
        """
        identities = _identities(environment)
        return cls(
            identities,
            _token_lifetime(environment),
            _claims(environment),
            _issuer(environment) if Identity.OIDC in identities else None,
            environment.get(_USER_ID_CLAIM, "").strip() or "sub",
        )


def _identities(environment: Mapping[str, str]) -> tuple[Identity, ...]:
    # App Service sets this itself. Without it nobody strips the principal headers from requests,
    # and anybody could send them.
    platform_authenticates = environment.get("WEBSITE_AUTH_ENABLED", "").lower() == "true"
    names = [each.strip().lower() for each in environment.get(_IDENTITY, "").split(",")]
    identities = tuple(_identity(name) for name in names if name)
    if not identities and platform_authenticates:
        return (Identity.APP_SERVICE,)
    if not identities:
        raise SettingsError(
            _IDENTITY,
            "is not set, and App Service authentication is off: say 'anonymous' to let everybody "
            "connect",
            Identity.ANONYMOUS.value,
        )
    if Identity.ANONYMOUS in identities[:-1]:
        raise SettingsError(
            _IDENTITY,
            "asks for more after 'anonymous', which everybody is",
            "app-service,anonymous",
        )
    if Identity.APP_SERVICE in identities and not platform_authenticates:
        raise SettingsError(
            _IDENTITY,
            "has 'app-service', but App Service authentication is off (WEBSITE_AUTH_ENABLED is not "
            "true). Turn it on in the Function App, or choose another identity",
            Identity.ANONYMOUS.value,
        )
    return identities


def _identity(name: str) -> Identity:
    try:
        return Identity(name)
    except ValueError:
        known = ", ".join(repr(each.value) for each in Identity)
        raise SettingsError(
            _IDENTITY, f"has {name!r}, and can have {known}", Identity.APP_SERVICE.value
        ) from None


def _claims(environment: Mapping[str, str]) -> tuple[ClaimMapping, ...]:
    try:
        return parse_claim_mappings(environment.get(_CLAIMS, ""))
    except ValueError as error:
        raise SettingsError(_CLAIMS, f"is wrong: {error}", "name,roles=role") from None


def _issuer(environment: Mapping[str, str]) -> Issuer:
    issuer = _https(environment, _ISSUER, _ISSUER_EXAMPLE)
    if issuer is None:
        raise SettingsError(_ISSUER, "is not set, and callers show its tokens", _ISSUER_EXAMPLE)
    audiences = tuple(
        each.strip() for each in environment.get(_AUDIENCE, "").split(",") if each.strip()
    )
    if not audiences:
        raise SettingsError(
            _AUDIENCE,
            "is not set: without it a token for any other app would do",
            "api://<application id>",
        )
    keys = f"{_ISSUER_EXAMPLE}/discovery/keys"
    return Issuer(issuer, audiences, _https(environment, _JWKS_URI, keys))


def _https(environment: Mapping[str, str], setting: str, example: str) -> str | None:
    value = environment.get(setting, "").strip()
    if not value:
        return None
    parts = urlsplit(value)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(value)):
        return value
    raise SettingsError(setting, f"is {value!r}, which is no https address", example)


def _token_lifetime(environment: Mapping[str, str]) -> int:
    value = environment.get(_LIFETIME, "").strip() or "60"
    if not (value.isascii() and value.isdigit()) or not 1 <= int(value) <= _LONGEST_LIFETIME:
        raise SettingsError(
            _LIFETIME, f"is {value!r}, and must be a number from 1 to {_LONGEST_LIFETIME}", "60"
        )
    return int(value)
