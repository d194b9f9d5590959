"""Ends connections whose authentication has expired, for tokens that ask for it.

Source: CloseOnAuthenticationExpire of the .NET SDK: `asrs.s.coae` and `asrs.s.aeo`; the service
looks once a second and lets the client reconnect.
"""

import asyncio
from collections.abc import Callable

from ..clock import Clock
from .connected import Client

__all__ = ["AuthenticationExpiry"]

_EXPIRED = "The authentication of the connection has expired."


class AuthenticationExpiry:
    """Watches clients as long as there are any to watch.

    Args:
        clock: Tells the time.
        interval: Between two looks, in seconds.
    """

    def __init__(self, clock: Clock, interval: float) -> None:
        self._clock = clock
        self._interval = interval
        self._watched: dict[Client, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, client: Client, closes_at: float) -> None:
        """End a client at a time, in seconds since the epoch."""
        self._watched[client] = closes_at
        if self._timer is None:
            self._plan(self._look)

    def forget(self, client: Client) -> None:
        """Stop to watch a client; one that is not watched is no error."""
        self._watched.pop(client, None)

    def _plan(self, look: Callable[[], None]) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._interval, look)

    def _look(self) -> None:
        self._timer = None
        now = self._clock.now()
        for client in [c for c, closes_at in self._watched.items() if now >= closes_at]:
            client.disconnect(_EXPIRED, allow_reconnect=True)
            self.forget(client)
        if self._watched:
            self._plan(self._look)
