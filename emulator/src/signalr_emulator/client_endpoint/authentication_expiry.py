"""Ends connections whose authentication has expired, for tokens that ask for it.

Source: CloseOnAuthenticationExpiration of the .NET SDK: `asrs.s.coae` and `asrs.s.aeo`; the service
looks once a second and lets the client reconnect. ASP.NET Core 11 says nothing more to it.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from ..clients.negotiations import Negotiated
from ..clock import Clock

__all__ = ["AuthenticationExpiry"]


class Expiring(Protocol):
    """A client that can be ended."""

    def disconnect(self, error: str | None, *, allow_reconnect: bool) -> None:
        """End its connection."""


class AuthenticationExpiry:
    """Watches clients as long as there are any to watch.

    Args:
        clock: Tells the time.
        interval: Between two looks, in seconds.
    """

    def __init__(self, clock: Clock, interval: float) -> None:
        self._clock = clock
        self._interval = interval
        self._watched: dict[Expiring, Negotiated] = {}
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, client: Expiring, negotiated: Negotiated) -> None:
        """End a client when its connection closes, which a refresh may put off."""
        self._watched[client] = negotiated
        if self._timer is None:
            self._plan(self._look)

    def forget(self, client: Expiring) -> None:
        """Stop to watch a client; one that is not watched is no error."""
        self._watched.pop(client, None)

    def _plan(self, look: Callable[[], None]) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._interval, look)

    def _look(self) -> None:
        self._timer = None
        now = self._clock.now()
        for client in [c for c, negotiated in self._watched.items() if _is_over(negotiated, now)]:
            client.disconnect(None, allow_reconnect=True)
            self.forget(client)
        if self._watched:
            self._plan(self._look)


def _is_over(negotiated: Negotiated, now: float) -> bool:
    closes_at = negotiated.identity.closes_at
    return closes_at is not None and now >= closes_at
