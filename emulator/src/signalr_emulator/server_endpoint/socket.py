"""The WebSocket of a server connection, over aiohttp."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from aiohttp import WSMsgType, web

from ..service_protocol.codec import MAX_MESSAGE_BYTES
from ..websocket.frames import CloseCode, binary_frame, close_frame

__all__ = ["ServerSocket", "server_response"]

_CLOSE_TIMEOUT: Final = 2.0
"""How long a closing handshake may take, in seconds."""

_ROOM_BYTES: Final = 1024 * 1024
"""From how much that waits to be sent on no more is read of clients."""

_TOGETHER_BYTES: Final = 64 * 1024
"""From how much on messages do not wait for more that could go with them."""


def server_response() -> web.WebSocketResponse:
    """Make the response that upgrades the request of an app server."""
    return web.WebSocketResponse(
        autoclose=False,
        compress=False,
        max_msg_size=2 * MAX_MESSAGE_BYTES,
        timeout=_CLOSE_TIMEOUT,
    )


class ServerSocket:
    """Carries bytes to one app server and from it.

    What is written within one turn of the event loop goes as one WebSocket message: many clients of
    a server connection speak in the same turn, and a call of the system costs more than what it
    carries.

    Args:
        response: The upgraded response.
        request: The request that it answers.
        transport: The socket's transport.
    """

    def __init__(
        self,
        response: web.WebSocketResponse,
        request: web.Request,
        transport: asyncio.Transport,
    ) -> None:
        self._response = response
        self._request = request
        self._transport = transport
        transport.set_write_buffer_limits(high=_ROOM_BYTES)
        self._loop = asyncio.get_running_loop()
        self._together: list[bytes] = []
        self._together_bytes = 0
        self._is_closing = False

    @property
    def has_room(self) -> bool:
        """Whether little enough waits to be sent."""
        return self._transport.get_write_buffer_size() <= _ROOM_BYTES

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
        with suppress(ConnectionError):
            await self._request.writer.drain()

    def close(self) -> None:
        """Close the WebSocket after what was sent, and cut who does not take that in time."""
        self._close(CloseCode.NORMAL)

    def abort(self) -> None:
        """Cut the socket now."""
        self._transport.abort()

    async def closed(self) -> None:
        """Wait until the WebSocket is closed, after `receive_all`."""
        if self._is_closing:
            # Both sides have said so, or this one has said it to nobody.
            self._transport.close()
        self._flush()
        self._is_closing = True
        await self._response.close()

    async def receive_all(self, take: Callable[[bytes], Awaitable[None]]) -> None:
        """Hand on what comes until the WebSocket ends.

        Args:
            take: Gets the payload of each message. Until it has taken it, nothing more is read.
        """
        while True:
            message = await self._response.receive()
            match message.type:
                case WSMsgType.BINARY | WSMsgType.TEXT if self._is_closing:
                    # It has not come to the Close yet, to which it will answer.
                    pass
                case WSMsgType.BINARY:
                    await take(message.data)
                case WSMsgType.TEXT:
                    self._close(CloseCode.UNSUPPORTED)
                case _:
                    return

    def _close(self, code: CloseCode) -> None:
        """Say the end, and leave it to `receive_all` to wait for the other side's.

        aiohttp would not wait for it while another task receives, and a server that has something
        under way would lose what it has not read.
        """
        if self._is_closing:
            return
        self._flush()
        self._is_closing = True
        if not self._transport.is_closing():
            self._transport.write(close_frame(code))
        # Who does not read would keep what was sent, and the connection, for ever.
        self._loop.call_later(_CLOSE_TIMEOUT, self._transport.abort)

    def _flush(self) -> None:
        """Send what has been written, if anything has since it was sent last."""
        if not self._together:
            return
        data = b"".join(self._together)
        self._together.clear()
        self._together_bytes = 0
        if not self._transport.is_closing():
            self._transport.write(binary_frame(data))
