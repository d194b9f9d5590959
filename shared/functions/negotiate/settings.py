"""The settings of negotiation, read from the environment of the Function App."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from ...errors import InvalidArgumentError, SettingsError
from ...settings.description import Setting
from ...settings.endpoint import is_confidential
from ...settings.token_origin import TokenOrigin

if TYPE_CHECKING:
    from ..issuers.bearer import Issuer
    from .claims import ClaimMapping

__all__ = ["SETTINGS", "Identity", "NegotiateSettings", "refuse_claims"]

_LONGEST_LIFETIME: Final = 90
_MINUTES: Final = re.compile("[0-9]{1,3}")
_IDENTITY: Final = Setting(
    "NEGOTIATE_IDENTITY",
    "`app-service`: callers are logged in by App Service authentication or a linked static web app,"
    " and the user id is theirs; `oidc`: they show a bearer token of the issuer below; `anonymous`:"
    " everybody may connect, and nobody has a user id. Several with commas are asked in turn:"
    " `app-service,anonymous`",
    "app-service",
    "`app-service` where the platform authenticates, else required",
)
_CLAIMS: Final = Setting(
    "NEGOTIATE_CLAIMS",
    "claims of the caller that go into the client token; `roles=role` takes `roles` and calls it"
    " `role`",
    "name,roles=role",
)
_LIFETIME: Final = Setting(
    "NEGOTIATE_TOKEN_LIFETIME_MINUTES",
    f"1 to {_LONGEST_LIFETIME}: how many minutes a client may connect with its token",
    "60",
    "60",
)
_REFRESH: Final = Setting(
    "NEGOTIATE_REFRESH",
    "`true` or `false`: whether clients may renew their sign-in without a new connection, so that"
    " negotiate tells them `tokenLifetimeSeconds`. Never for anonymous callers",
    "false",
    "`true` where callers prove who they are",
)
_CLOSE_ON_EXPIRATION: Final = Setting(
    "NEGOTIATE_CLOSE_ON_EXPIRATION",
    "`true` or `false`: whether the service closes a connection when the caller's session ends and"
    " was not renewed. A session whose end nobody knows closes nothing: that of a login by cookie"
    " with App Service authentication",
    "true",
    "`false`",
)
_UNIQUE_TOKENS: Final = Setting(
    "NEGOTIATE_UNIQUE_TOKENS",
    "`true` or `false`: whether each client token differs from every other one, also from one for"
    " the same caller in the same second: for rules of the service's firewall by signature",
    "true",
    "`false`",
)
_ISSUER: Final = Setting(
    "NEGOTIATE_OIDC_ISSUER",
    "the issuer of callers' bearer tokens, as their claim `iss` has it",
    "https://login.microsoftonline.com/<tenant id>/v2.0",
    "required with `oidc`",
)
_AUDIENCE: Final = Setting(
    "NEGOTIATE_OIDC_AUDIENCE",
    "the audiences of bearer tokens that are for this app, separated by commas",
    "api://<application id>",
    "required with `oidc`",
)
_JWKS_URI: Final = Setting(
    "NEGOTIATE_OIDC_JWKS_URI",
    "where the issuer's public keys are",
    "https://login.microsoftonline.com/<tenant id>/discovery/v2.0/keys",
    "what the issuer's OpenID configuration names",
)
_USER_ID_CLAIM: Final = Setting(
    "NEGOTIATE_OIDC_USER_ID_CLAIM",
    "the claim of a bearer token that is the user id",
    "oid",
    "`sub`",
)
SETTINGS: Final = (
    _IDENTITY,
    _CLAIMS,
    _LIFETIME,
    _UNIQUE_TOKENS,
    _REFRESH,
    _CLOSE_ON_EXPIRATION,
    _ISSUER,
    _AUDIENCE,
    _JWKS_URI,
    _USER_ID_CLAIM,
)
"""All of them."""


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
        refresh: Whether callers may renew their sign-in; nobody who is anonymous can.
        close_on_expiration: Whether a connection ends with the caller's session.
        unique_tokens: Whether each client token differs from every other one.
        behind_app_service: Whether App Service runs the app, whose front end says who calls.
    """

    identities: tuple[Identity, ...]
    token_lifetime: int = 60
    claims: "tuple[ClaimMapping, ...]" = ()
    issuer: "Issuer | None" = None
    user_id_claim: str = "sub"
    refresh: bool = True
    close_on_expiration: bool = False
    unique_tokens: bool = False
    behind_app_service: bool = False

    def __post_init__(self) -> None:
        """Refuse what would let nobody connect, or only fail with the first caller.

        Raises:
            InvalidArgumentError: There is no tuple of identities, or no issuer for their tokens.
        """
        identities: object = self.identities
        if (
            not isinstance(identities, tuple)
            or not identities
            or not all(isinstance(each, Identity) for each in identities)
        ):
            raise InvalidArgumentError(
                "identities",
                f"is {identities!r}, and has to be a tuple of Identity, with a comma also behind a"
                " single one: (Identity.ANONYMOUS,)",
            )
        if Identity.OIDC in identities and self.issuer is None:
            raise InvalidArgumentError(
                "issuer", "is missing, and callers show its tokens: Issuer(issuer, (audience,))"
            )

    @property
    def is_renewing(self) -> bool:
        """Whether there is anybody who may renew a sign-in."""
        return self.refresh and self.identities != (Identity.ANONYMOUS,)

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
            _USER_ID_CLAIM.read(environment) or "sub",
            _refresh(environment, identities),
            _CLOSE_ON_EXPIRATION.read_switch(environment, default=False),
            _UNIQUE_TOKENS.read_switch(environment, default=False),
            # App Service sets this itself.
            bool(environment.get("WEBSITE_SITE_NAME")),
        )


def refuse_claims(negotiation: NegotiateSettings) -> None:
    """Refuse what client tokens cannot say that the service makes: they have a user id only.

    Args:
        negotiation: The settings.

    Raises:
        SettingsError: One of them needs a claim.
    """
    needed = {
        _CLAIMS: bool(negotiation.claims),
        _CLOSE_ON_EXPIRATION: negotiation.close_on_expiration,
        _UNIQUE_TOKENS: negotiation.unique_tokens,
    }
    for setting, is_needed in needed.items():
        if is_needed:
            raise SettingsError(
                setting.name,
                "needs claims in client tokens, and those that the service makes have none: remove"
                " it, or let the app sign them",
                TokenOrigin.ACCESS_KEY.value,
                instead="SIGNALR_CLIENT_TOKENS",
            )


def _identities(environment: Mapping[str, str]) -> tuple[Identity, ...]:
    # App Service sets this itself. Without it nobody strips the principal headers from requests,
    # and anybody could send them.
    platform_authenticates = environment.get("WEBSITE_AUTH_ENABLED", "").lower() == "true"
    identities = tuple(_identity(name.lower()) for name in _IDENTITY.read_list(environment))
    if not identities and platform_authenticates:
        return (Identity.APP_SERVICE,)
    if not identities:
        raise _IDENTITY.error(
            "is not set, and App Service authentication is off: say 'anonymous' to let everybody "
            "connect",
            Identity.ANONYMOUS.value,
        )
    if Identity.ANONYMOUS in identities[:-1]:
        raise _IDENTITY.error(
            "asks for more after 'anonymous', which everybody is",
            "app-service,anonymous",
        )
    if Identity.APP_SERVICE in identities and not platform_authenticates:
        raise _IDENTITY.error(
            "has 'app-service', but App Service authentication is off (WEBSITE_AUTH_ENABLED is not "
            "true). Turn it on in the Function App, or choose another identity",
            Identity.ANONYMOUS.value,
        )
    return identities


def _refresh(environment: Mapping[str, str], identities: tuple[Identity, ...]) -> bool:
    is_proven = identities != (Identity.ANONYMOUS,)
    is_on = _REFRESH.read_switch(environment, default=is_proven)
    if is_on and not is_proven:
        raise _REFRESH.error(
            f"is true, and {_IDENTITY.name} says that nobody proves who they are", "false"
        )
    return is_on


def _identity(name: str) -> Identity:
    try:
        return Identity(name)
    except ValueError:
        known = ", ".join(repr(each.value) for each in Identity)
        raise _IDENTITY.error(f"has {name!r}, and can have {known}") from None


def _claims(environment: Mapping[str, str]) -> "tuple[ClaimMapping, ...]":
    listed = _CLAIMS.read(environment)
    if not listed:
        return ()
    from .claims import parse_claim_mappings  # noqa: PLC0415  of use only where claims pass

    try:
        return parse_claim_mappings(listed)
    except ValueError as error:
        raise _CLAIMS.error(f"is wrong: {error}") from None


def _issuer(environment: Mapping[str, str]) -> "Issuer":
    from ..issuers.bearer import Issuer  # noqa: PLC0415  of use only where callers show tokens

    issuer = _https(environment, _ISSUER)
    if issuer is None:
        raise _ISSUER.error("is not set, and callers show its tokens")
    audiences = tuple(_AUDIENCE.read_list(environment))
    if not audiences:
        raise _AUDIENCE.error("is not set: without it a token for any other app would do")
    return Issuer(issuer, audiences, _https(environment, _JWKS_URI))


def _https(environment: Mapping[str, str], setting: Setting) -> str | None:
    value = setting.read(environment)
    if not value or is_confidential(value):
        return value or None
    raise setting.error(f"is {value!r}, which is no https address")


def _token_lifetime(environment: Mapping[str, str]) -> int:
    value = _LIFETIME.read(environment) or "60"
    if not _MINUTES.fullmatch(value) or not 1 <= int(value) <= _LONGEST_LIFETIME:
        raise _LIFETIME.error(f"is {value!r}, and must be a number from 1 to {_LONGEST_LIFETIME}")
    return int(value)
