"""The WebSocket transport: the edge between a client and aiohttp.

Frames are written past aiohttp, whose `send_bytes` would frame the same bytes anew for every client
of a broadcast. It writes nothing itself but the frame that closes.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import WSCloseCode, WSMsgType, web

from ..errors import ProtocolError
from ..protocols.messages import MAX_RECORD_BYTES
from ..protocols.supported import HubProtocol, TransferFormat
from .frames import binary_frame, close_frame, pong_frame, text_frame
from .outgoing import Outgoing
from .socket_writer import SocketWriter

__all__ = ["WebSocketTransport", "websocket_response"]

_CLOSE_TIMEOUT = 2.0
"""How long a closing handshake may take, in seconds."""

_MAX_FRAMING = 16
"""More bytes than a hub protocol adds to a message; aiohttp takes less than its limit."""


class WebSocketResponse(web.WebSocketResponse[bool]):
    """An upgraded response that does not close by itself over a message that is too long.

    The client is to be told why, by a message of its hub protocol, before the WebSocket ends.
    """

    async def close(
        self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True
    ) -> bool:
        """Close the WebSocket, unless aiohttp wants to because of the length of a message."""
        if code == WSCloseCode.MESSAGE_TOO_BIG:
            return False
        return await super().close(code=code, message=message, drain=drain)


def websocket_response() -> WebSocketResponse:
    """Make the response that upgrades a request.

    Without compression, so that one frame fits every client; pongs and closing frames are left to
    the transport, so that nothing overtakes the former and nothing is written after the latter.
    """
    return WebSocketResponse(
        autoclose=False,
        autoping=False,
        compress=False,
        decode_text=False,
        max_msg_size=MAX_RECORD_BYTES + _MAX_FRAMING,
        timeout=_CLOSE_TIMEOUT,
    )


class WebSocketTransport(SocketWriter):
    """Carries bytes to one WebSocket client.

    Args:
        response: The upgraded response.
        transport: The socket's transport.
        max_buffered: Bytes that may wait for a slow client.
        linger: How long a closing client may take to read what was sent, in seconds.
    """

    __slots__ = ("_closing", "_response")

    def __init__(
        self,
        response: WebSocketResponse,
        transport: asyncio.Transport,
        max_buffered: int,
        linger: float,
    ) -> None:
        super().__init__(transport, max_buffered, linger)
        self._response = response
        self._closing: asyncio.Task[None] | None = None

    def send(self, payload: bytes, transfer_format: TransferFormat) -> None:
        """Send messages of the hub protocol as one frame."""
        is_text = transfer_format is TransferFormat.TEXT
        self._put(text_frame(payload) if is_text else binary_frame(payload))

    def deliverer(self, protocol: HubProtocol) -> Callable[[Outgoing], None]:
        """Give what sends a message that goes to many clients to this one."""
        if protocol.transfer_format is TransferFormat.TEXT:
            return self._deliver_text
        return self._deliver_binary

    def close(self) -> None:
        """Close the WebSocket after what was sent; what is sent later is dropped."""
        if self._closing is None:
            self._stop_writing()
            self._closing = asyncio.get_running_loop().create_task(self._close())

    async def closed(self) -> None:
        """Wait until the WebSocket is closed, closing it if nobody did."""
        self.close()
        try:
            if self._closing is not None:
                await self._closing
        finally:
            error = self._response.exception()
            if error is not None:
                # Its frames hold the response and each caller's variables, down to the timers of
                # the event loop: all of it would stay in memory until a garbage collection.
                error.with_traceback(None)

    async def receive_all(self, take: Callable[[bytes], Awaitable[None]]) -> bool:
        """Hand every message of the WebSocket on until it ends.

        Args:
            take: Gets the payload of each text or binary message. Until it has taken it, nothing
                more is read, so that the client's system holds back what it sends.

        Returns:
            Whether the client has closed it, with whatever status, and not a broken connection.

        Raises:
            ProtocolError: A message is too long.
        """
        while True:
            message = await self._response.receive()
            match message.type:
                case WSMsgType.TEXT | WSMsgType.BINARY:
                    await take(message.data)
                case WSMsgType.PING:
                    self._put(pong_frame(message.data))
                case WSMsgType.PONG:
                    pass
                case WSMsgType.ERROR if self._is_overrun():
                    raise ProtocolError(f"A message is longer than {MAX_RECORD_BYTES} bytes.")
                case _:
                    return message.type is WSMsgType.CLOSE

    def _is_overrun(self) -> bool:
        return self._response.close_code == WSCloseCode.MESSAGE_TOO_BIG

    async def _close(self) -> None:
        if not self._is_overrun():
            await self._response.close()
            return
        # The rest of the message is still coming, and aiohttp drops it. Closing the socket now
        # would reset the connection, and the client would lose what it was told; so its sending
        # side ends, and the socket when the client has closed its own or the time is over.
        self._transport.write(close_frame(WSCloseCode.MESSAGE_TOO_BIG))
        self._transport.write_eof()
        await asyncio.sleep(self._linger)

    # Both deliver to one recipient of thousands, and so do without a call of `_put`.

    def _deliver_text(self, message: Outgoing) -> None:
        frame = message.websocket_text
        try:
            written = self._write(frame)
        except OSError:
            written = 0
        if written != len(frame):
            self._put_rest(frame, written)

    def _deliver_binary(self, message: Outgoing) -> None:
        frame = message.websocket_binary
        try:
            written = self._write(frame)
        except OSError:
            written = 0
        if written != len(frame):
            self._put_rest(frame, written)
