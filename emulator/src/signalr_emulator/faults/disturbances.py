"""Faults of server connections whose WebSocket is there; those before that are any request's."""

import asyncio
from collections.abc import Callable
from typing import Final

from .rules import Action, Armed, Faults, Request

__all__ = ["ACK", "ALLOWED", "HANDSHAKE", "MESSAGE", "Disturbances", "pause"]

HANDSHAKE: Final = "serverHandshake"
"""The handshake of a server connection."""

MESSAGE: Final = "serverMessage"
"""What a server connection brings, which is read late: the service reads slowly."""

ACK: Final = "serverAck"
"""The answer to a request over a server connection; while it is late, others go on."""

ALLOWED: Final = {
    HANDSHAKE: frozenset((Action.ANSWER,)),
    MESSAGE: frozenset((Action.PASS, Action.FREEZE)),
    ACK: frozenset((Action.PASS, Action.FREEZE)),
}
"""What may happen to each."""

_LOOK_AGAIN: Final = 0.05
"""How often what is frozen looks whether it may go on, in seconds."""

_REFUSED: Final = "Refused by a fault."


class Disturbances:
    """The faults that one server connection meets.

    Args:
        faults: All that there are.
        hub: The hub of the connection.
        port: Where it came in; None where that is unknown.
    """

    def __init__(self, faults: Faults, hub: str, port: int | None) -> None:
        self._faults = faults
        self._hub = hub
        self._port = port or 0

    def take(self, operation: str) -> Armed | None:
        """Give the fault that disturbs something, and count it there."""
        return self._faults.take(Request("", "", self._port, frozenset((operation,)), self._hub))

    def refusal(self, operation: str) -> str | None:
        """Give the text with which something is refused, or None."""
        armed = self.take(operation)
        return None if armed is None else armed.fault.body or _REFUSED


async def pause(armed: Armed, is_over: Callable[[], bool] = lambda: False) -> None:
    """Wait as long as a fault wants: for its delay, and while it freezes what it disturbs.

    Args:
        armed: The fault.
        is_over: Tells whether nobody waits any more for what is frozen.
    """
    if armed.fault.delay:
        await asyncio.sleep(armed.fault.delay)
    if armed.fault.action is not Action.FREEZE:
        return
    # aiohttp has no event for a client that gives up, so that both are looked for.
    while not (armed.is_cleared or is_over()):  # noqa: ASYNC110 - see above
        await asyncio.sleep(_LOOK_AGAIN)
