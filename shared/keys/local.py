"""Access keys of a connection string, for an emulator on this machine.

A service in Azure is used without them: the settings accept one for a loopback address only.
"""

import time
from collections.abc import Callable
from math import inf
from typing import Final
from urllib.parse import urlsplit

from ..identity.token import AskedToken, Token, given
from ..settings.endpoint import without_port
from .access_key import AccessKey, KeyState
from .client_token import sign_client_token

__all__ = ["LocalKey", "LocalTokens"]

_LIFETIME: Final = 300
"""Seconds for which a token of a request is valid."""


class LocalKey:
    """The access key of a connection string, as the source of the key that signs client tokens.

    Args:
        secret: Its text.
    """

    def __init__(self, secret: str) -> None:
        self._key = AccessKey("", secret.encode(), obtained_at=0.0, lifetime=inf)

    def current(self) -> AccessKey:
        """Return the key."""
        return self._key

    @property
    def error(self) -> None:
        """Return that nothing fails, since nothing is fetched."""

    @property
    def is_stalled(self) -> bool:
        """Whether a fetch hangs, which there is none of."""
        return False

    @property
    def state(self) -> KeyState:
        """Return what an operator wants to know: there is nothing to refresh."""
        return KeyState(key_id=None, age=None, next_refresh=inf, error=None)

    def warm_up(self) -> None:
        """Get ready, which takes nothing."""

    def after_fork(self) -> None:
        """Make it usable in a child process, which takes nothing."""

    def close(self) -> None:
        """End it, which takes nothing."""

    def get(self, timeout: float = 0.0) -> AccessKey:  # noqa: ARG002  the protocol's own
        """Return the key."""
        return self._key

    async def get_async(self, timeout: float = 0.0) -> AccessKey:  # noqa: ARG002, ASYNC109  the protocol's own
        """Return the key."""
        return self._key


class LocalTokens:
    """Signs the token of each request to the REST API with an access key.

    Args:
        key: The key.
        clock: Current time in epoch seconds.
    """

    def __init__(self, key: LocalKey, *, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock

    def cached(self, url: str, rejected: Token | None = None) -> Token:
        """Return what `get` does, which takes no waiting."""
        return self.get(url, rejected)

    def ask(self, url: str, rejected: Token | None = None) -> AskedToken:
        """Return what `get` does, which takes no waiting."""
        return given(self.get(url, rejected))

    def get(self, url: str, rejected: Token | None = None) -> Token:  # noqa: ARG002  the protocol's own
        """Return a token whose audience is the URL without its port and query (REST reference)."""
        now = self._clock()
        audience = without_port(url) + urlsplit(url).path
        value = sign_client_token(self._key.get(), audience, now=now, lifetime=_LIFETIME)
        return Token(value, now + _LIFETIME)

    def after_fork(self) -> None:
        """Make it usable in a child process, which takes nothing."""
