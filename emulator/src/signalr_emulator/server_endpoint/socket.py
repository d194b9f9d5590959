"""The WebSocket of a server connection, over aiohttp."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from aiohttp import WSCloseCode, WSMsgType, web

from ..service_protocol.codec import MAX_MESSAGE_BYTES
from ..transports.frames import binary_frame

__all__ = ["ServerSocket", "server_response"]

_CLOSE_TIMEOUT: Final = 2.0
"""How long a closing handshake may take, in seconds."""

_ROOM_BYTES: Final = 1024 * 1024
"""From how much that waits to be sent on no more is read of clients."""


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
        self._closing: asyncio.Task[bool] | None = None

    @property
    def has_room(self) -> bool:
        """Whether little enough waits to be sent."""
        return self._transport.get_write_buffer_size() <= _ROOM_BYTES

    def write(self, data: bytes) -> None:
        """Send without waiting; after the end of the socket, drop."""
        if self._closing is None and not self._transport.is_closing():
            self._transport.write(binary_frame(data))

    async def room(self) -> None:
        """Wait until there is room, or until the socket has ended."""
        with suppress(ConnectionError):
            await self._request.writer.drain()

    def close(self) -> None:
        """Close the WebSocket after what was sent, and cut who does not take that in time."""
        if self._closing is None:
            loop = asyncio.get_running_loop()
            self._closing = loop.create_task(self._response.close())
            # Who does not read would keep what was sent, and the connection, for ever.
            loop.call_later(_CLOSE_TIMEOUT, self._transport.abort)

    def abort(self) -> None:
        """Cut the socket now."""
        self._transport.abort()

    async def closed(self) -> None:
        """Wait until the WebSocket is closed, closing it if nobody did."""
        self.close()
        if self._closing is not None:
            await self._closing

    async def receive_all(self, take: Callable[[bytes], Awaitable[None]]) -> None:
        """Hand on what comes until the WebSocket ends.

        Args:
            take: Gets the payload of each message. Until it has taken it, nothing more is read.
        """
        while True:
            message = await self._response.receive()
            match message.type:
                case WSMsgType.BINARY:
                    await take(message.data)
                case WSMsgType.TEXT:
                    await self._response.close(
                        code=WSCloseCode.UNSUPPORTED_DATA, message=b"binary messages only"
                    )
                    return
                case _:
                    return
