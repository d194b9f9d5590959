"""The WebSocket of a server connection."""

import asyncio
import sys
from collections.abc import Callable
from typing import Final

from ..errors import WebSocketError
from ..service_protocol.codec import MAX_MESSAGE_BYTES
from ..websocket.connection import WebSocketConnection
from ..websocket.frames import CloseCode, binary_frame

__all__ = ["ServerSocket"]

_CLOSE_TIMEOUT: Final = 2.0
"""How long a closing handshake may take, in seconds."""

_ROOM_BYTES: Final = 1024 * 1024
"""From how much that waits to be sent on no more is read of clients."""

_TOGETHER_BYTES: Final = 64 * 1024
"""From how much on messages do not wait for more that could go with them."""


class ServerSocket(WebSocketConnection):
    """Carries bytes to one app server and from it.

    What is written within one turn of the event loop goes as one WebSocket message: many clients of
    a server connection speak in the same turn, and a call of the system costs more than what it
    carries.

    Args:
        transport: The socket's transport.
    """

    __slots__ = ("_has_room", "_loop", "_on_end", "_take_message", "_together", "_together_bytes")

    def __init__(self, transport: asyncio.Transport) -> None:
        # What may wait is bounded by `has_room`, which its writers look at.
        super().__init__(transport, 2 * MAX_MESSAGE_BYTES, sys.maxsize, _CLOSE_TIMEOUT)
        transport.set_write_buffer_limits(high=_ROOM_BYTES)
        self._loop = asyncio.get_running_loop()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._together: list[bytes] = []
        self._together_bytes = 0

    def listen(self, take: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        """Set, before anything comes, who gets it.

        Args:
            take: Gets the payload of each message.
            on_end: Is called once when nothing comes any more.
        """
        self._take_message = take
        self._on_end = on_end

    @property
    def has_room(self) -> bool:
        """Whether little enough waits to be sent."""
        return self._has_room.is_set()

    def write(self, data: bytes) -> None:
        """Send without waiting; after the end of the socket, drop."""
        if self._is_closing:
            return
        if not self._together:
            self._loop.call_soon(self._flush)
        self._together.append(data)
        self._together_bytes += len(data)
        if self._together_bytes >= _TOGETHER_BYTES:
            self._flush()

    async def room(self) -> None:
        """Wait until there is room, or until the socket has ended."""
        await self._has_room.wait()

    def close(self) -> None:
        """Close the WebSocket after what was sent, and cut who does not take that in time."""
        self._flush()
        super().close()

    def received(self, payload: bytes, *, is_text: bool) -> None:
        """Hand a message on.

        Raises:
            WebSocketError: It is text.
        """
        if is_text:
            raise WebSocketError("A server connection carries bytes.", CloseCode.UNSUPPORTED)
        self._take_message(payload)

    def ended(self, error: Exception | None) -> None:  # noqa: ARG002 - all ends are alike
        """Tell that nothing comes any more."""
        self._on_end()

    def pause_writing(self) -> None:
        """Take note that much waits to be sent."""
        self._has_room.clear()

    def resume_writing(self) -> None:
        """Take note that little waits."""
        self._has_room.set()

    def connection_lost(self, error: Exception | None) -> None:
        """Take note that the socket is closed, and that nobody has to wait for it."""
        self._has_room.set()
        super().connection_lost(error)

    def _flush(self) -> None:
        """Send what has been written, if anything has since it was sent last."""
        if not self._together:
            return
        data = b"".join(self._together)
        self._together.clear()
        self._together_bytes = 0
        self._put(binary_frame(data))
