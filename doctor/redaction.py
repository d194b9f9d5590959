"""What no output may show: a last guard, since texts come from services and libraries."""

import re
from collections.abc import Iterable
from typing import Final

from shared.settings.environment import Settings

__all__ = ["Secrets", "secrets_of"]

_TOKEN: Final = re.compile(r"eyJ[\w-]*(?:\.[\w-]*){0,4}")
"""A JSON Web Token, or the beginning of one: `{"` in Base64."""

_HIDDEN: Final = "[hidden]"


class Secrets:
    """Hides tokens and known secrets.

    Args:
        known: The secrets that the settings have.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = tuple(each for each in known if each)

    def hide(self, text: str) -> str:
        """Return a text without them."""
        for secret in self._known:
            text = text.replace(secret, _HIDDEN)
        return _TOKEN.sub(_HIDDEN, text)


def secrets_of(settings: Settings) -> Secrets:
    """Return the secrets of the settings of a Function App."""
    credentials = [each.credential for each in settings.endpoints]
    return Secrets(
        secret or "" for each in credentials for secret in (each.client_secret, each.access_key)
    )
