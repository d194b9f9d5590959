"""Flow control: an app server holds back what is for a client that does not keep up.

Source: Microsoft.Azure.SignalR 1.34.0, which answers a pause and keeps its data for that client,
not its messages to several, until it may go on.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from ..service_protocol.fields import FlowConnection, FlowOperation
from ..service_protocol.messages import ConnectionFlowControl

__all__ = ["HIGH", "LOW", "FlowControl"]

HIGH: Final = 256 * 1024
"""From how many bytes that wait for a client on its app server is asked to pause."""

LOW: Final = 64 * 1024
"""With how many it may go on."""

_LOOK_AGAIN: Final = 0.05
"""How often it is looked whether it may, in seconds."""


class FlowControl:
    """The flow control of one client.

    Args:
        connection_id: The client.
        waiting: Gives how many bytes wait for it.
        tell: Sends something to its app server.
        loop: Runs the timer.
    """

    def __init__(
        self,
        connection_id: str,
        waiting: Callable[[], int],
        tell: Callable[[ConnectionFlowControl], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._connection_id = connection_id
        self._waiting = waiting
        self._tell = tell
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    def written(self) -> None:
        """Take note that the app server has sent something, and ask it to pause if need be."""
        if self._timer is None and self._waiting() > HIGH:
            self._say(FlowOperation.PAUSE)
            self._timer = self._loop.call_later(_LOOK_AGAIN, self._look)

    def stop(self) -> None:
        """Forget a pause: the client is gone, or has another app server."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        if self._waiting() > LOW:
            self._timer = self._loop.call_later(_LOOK_AGAIN, self._look)
            return
        self._timer = None
        self._say(FlowOperation.RESUME)

    def _say(self, operation: FlowOperation) -> None:
        self._tell(ConnectionFlowControl(self._connection_id, FlowConnection.CLIENT, operation))
