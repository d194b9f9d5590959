"""What the doctor does with a client that has shaken hands: call a method, wait for a message."""

import time
from collections.abc import Callable
from typing import Final

from websockets.exceptions import ConnectionClosed

from shared.command.hub_client import HubClient, Message

__all__ = ["invoke", "receives"]

_INVOCATION: Final = 1
_COMPLETION: Final = 3
_CLOSE: Final = 7


def invoke(client: HubClient, target: str, timeout: float) -> Message | None:
    """Call a method, and return the completion or the close message that ends the wait."""
    call = {"type": _INVOCATION, "invocationId": "1", "target": target, "arguments": []}
    try:
        client.send(call)
    except ConnectionClosed:
        return {"type": _CLOSE}
    return _wait(client, lambda each: each.get("type") in {_COMPLETION, _CLOSE}, timeout)


def receives(client: HubClient, target: str, argument: str, timeout: float) -> bool:
    """Wait for a message, and tell whether it came."""
    wanted = _wait(
        client,
        lambda each: each.get("target") == target and each.get("arguments") == [argument],
        timeout,
    )
    return wanted is not None


def _wait(
    client: HubClient, is_wanted: Callable[[Message], bool], timeout: float
) -> Message | None:
    until = time.monotonic() + timeout
    try:
        while (message := client.next(until)) is not None:
            if is_wanted(message):
                return message
    except ConnectionClosed:
        return {"type": _CLOSE} if is_wanted({"type": _CLOSE}) else None
    return None
