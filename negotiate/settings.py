"""The settings of negotiation, read from the environment of the Function App."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from shared.errors import SettingsError

__all__ = ["Identity", "NegotiateSettings"]

_IDENTITY: Final = "NEGOTIATE_IDENTITY"
_LIFETIME: Final = "NEGOTIATE_TOKEN_LIFETIME_MINUTES"
_LONGEST_LIFETIME: Final = 90


class Identity(Enum):
    """How a caller proves who it is."""

    ANONYMOUS = "anonymous"
    """Nobody is asked, and connections belong to no user."""

    APP_SERVICE = "app-service"
    """App Service authentication has logged the caller in and says so in a header."""


@dataclass(frozen=True, slots=True)
class NegotiateSettings:
    """What negotiation needs to know.

    Args:
        identity: How a caller proves who it is.
        token_lifetime: Minutes for which a client may connect with its token.
    """

    identity: Identity
    token_lifetime: int = 60

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "NegotiateSettings":
        """Read the settings.

        Args:
            environment: Names and values, as in `os.environ`.

        Raises:
            SettingsError: A setting is missing or wrong.
        """
        return cls(_identity(environment), _token_lifetime(environment))


def _identity(environment: Mapping[str, str]) -> Identity:
    # App Service sets this itself. Without it nobody strips the principal headers from requests,
    # and anybody could send them.
    platform_authenticates = environment.get("WEBSITE_AUTH_ENABLED", "").lower() == "true"
    value = environment.get(_IDENTITY, "").strip().lower()
    if not value and platform_authenticates:
        return Identity.APP_SERVICE
    if not value:
        raise SettingsError(
            _IDENTITY,
            "is not set, and App Service authentication is off: say 'anonymous' to let everybody "
            "connect",
            Identity.ANONYMOUS.value,
        )
    try:
        identity = Identity(value)
    except ValueError:
        known = " or ".join(repr(each.value) for each in Identity)
        raise SettingsError(
            _IDENTITY, f"is {value!r}, and can be {known}", Identity.APP_SERVICE.value
        ) from None
    if identity is Identity.APP_SERVICE and not platform_authenticates:
        raise SettingsError(
            _IDENTITY,
            "is 'app-service', but App Service authentication is off (WEBSITE_AUTH_ENABLED is not "
            "true). Turn it on in the Function App, or choose another identity",
            Identity.ANONYMOUS.value,
        )
    return identity


def _token_lifetime(environment: Mapping[str, str]) -> int:
    value = environment.get(_LIFETIME, "").strip() or "60"
    if not (value.isascii() and value.isdigit()) or not 1 <= int(value) <= _LONGEST_LIFETIME:
        raise SettingsError(
            _LIFETIME, f"is {value!r}, and must be a number from 1 to {_LONGEST_LIFETIME}", "60"
        )
    return int(value)
