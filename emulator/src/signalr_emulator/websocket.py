"""The WebSocket transport: the edge between a client and aiohttp.

Frames are written straight to the socket's transport. aiohttp's own `send_bytes` would frame the
same bytes anew for every client of a broadcast.
"""

import asyncio
import logging
from collections.abc import Callable

from aiohttp import WSMsgType, web

from signalr_emulator.frames import text_frame
from signalr_emulator.hub_protocol import MAX_RECORD_BYTES
from signalr_emulator.outgoing import Outgoing

__all__ = ["WebSocketTransport", "receive_all", "websocket_response"]

_LOGGER = logging.getLogger(__name__)

_CLOSE_TIMEOUT = 2.0
"""How long a closing handshake may take, in seconds."""

type WebSocketResponse = web.WebSocketResponse[bool]


def websocket_response() -> web.WebSocketResponse[bool]:
    """Make the response that upgrades a request.

    Without compression, so that one frame fits every client; closing frames are left to the
    transport, so that nothing is written after them.
    """
    return web.WebSocketResponse(
        autoclose=False,
        compress=False,
        decode_text=False,
        max_msg_size=MAX_RECORD_BYTES,
        timeout=_CLOSE_TIMEOUT,
    )


class WebSocketTransport:
    """Carries bytes to one WebSocket client.

    Args:
        response: The upgraded response.
        transport: The socket's transport.
        max_buffered: Bytes that may wait for a slow client; with more, the connection is cut.
    """

    # Slots keep what a broadcast touches of each of thousands of clients small.
    __slots__ = (
        "_closing",
        "_max_buffered",
        "_response",
        "_transport",
        "_unchecked",
        "_write",
    )

    def __init__(
        self, response: WebSocketResponse, transport: asyncio.Transport, max_buffered: int
    ) -> None:
        self._response = response
        self._transport = transport
        self._write: Callable[[bytes], None] = transport.write
        self._max_buffered = max_buffered
        self._unchecked = 0
        self._closing: asyncio.Task[bool] | None = None

    def send(self, payload: bytes) -> None:
        """Send records of the hub protocol as one text frame."""
        self._put(text_frame(payload))

    def deliver(self, message: Outgoing) -> None:
        """Send a message that goes to many clients."""
        self._put(message.websocket_text)

    def close(self) -> None:
        """Close the WebSocket after what was sent; what is sent later is dropped."""
        if self._closing is None:
            self._write = _drop
            self._closing = asyncio.get_running_loop().create_task(self._response.close())

    async def closed(self) -> None:
        """Wait until the WebSocket is closed, closing it if nobody did."""
        self.close()
        if self._closing is not None:
            await self._closing

    def _put(self, frame: bytes) -> None:
        self._write(frame)
        self._unchecked += len(frame)
        if self._unchecked > self._max_buffered:
            self._check_buffer()

    def _check_buffer(self) -> None:
        """Cut a client that reads too slowly.

        What waits can be no more than what was written, so that there is no need to look at
        every write: looking takes as long as a good part of the write itself.
        """
        waiting = self._unchecked = self._transport.get_write_buffer_size()
        if waiting <= self._max_buffered or self._transport.is_closing():
            return
        _LOGGER.warning("Cut a client that reads too slowly: %d bytes waited.", waiting)
        self._write = _drop
        # A closing handshake would wait behind everything that the client does not read.
        self._transport.abort()


async def receive_all(response: WebSocketResponse, take: Callable[[bytes], None]) -> None:
    """Hand every message of a WebSocket on until it ends.

    Args:
        response: The upgraded response.
        take: Gets the payload of each text or binary message.
    """
    async for message in response:
        if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
            take(message.data)


def _drop(_frame: bytes) -> None:
    """Write nothing: the WebSocket is closing."""
