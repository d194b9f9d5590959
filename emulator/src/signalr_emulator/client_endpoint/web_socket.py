"""The WebSocket transport of a client."""

import asyncio
from operator import attrgetter

from ..clients.transport import Lost
from ..errors import WebSocketError
from ..protocols.messages import MAX_RECORD_BYTES
from ..protocols.supported import HubProtocol, TransferFormat
from ..transports.sink import Form, Sink
from ..websocket.connection import WebSocketConnection
from ..websocket.frames import CloseCode, binary_frame, text_frame
from .live_clients import AnyClient

__all__ = ["WebSocketTransport"]

_TEXT: Form = attrgetter("websocket_text")
_BINARY: Form = attrgetter("websocket_binary")

_MAX_FRAMING = 15
"""Bytes that a hub protocol may add to a message."""


class WebSocketTransport(WebSocketConnection):
    """Carries bytes to and from one client.

    Args:
        client: The client, which is told of the end.
        transport: The socket's transport.
        max_buffered: Bytes that may wait for a slow client.
        linger: How long a closing client may take to read what was sent, in seconds.
    """

    __slots__ = ("_client", "_taking")

    def __init__(
        self, client: AnyClient, transport: asyncio.Transport, max_buffered: int, linger: float
    ) -> None:
        super().__init__(transport, MAX_RECORD_BYTES + _MAX_FRAMING, max_buffered, linger)
        self._client: AnyClient | None = client
        self._taking: asyncio.Task[None] | None = None

    def send(self, payload: bytes, transfer_format: TransferFormat) -> None:
        """Send messages of the hub protocol as one frame."""
        is_text = transfer_format is TransferFormat.TEXT
        self._put(text_frame(payload) if is_text else binary_frame(payload))

    def form(self, protocol: HubProtocol) -> Form:
        """Give the form of messages that go to many clients."""
        return _TEXT if protocol.transfer_format is TransferFormat.TEXT else _BINARY

    @property
    def sink(self) -> Sink:
        """What takes messages that go to many clients: the transport itself."""
        return self

    def abort(self) -> None:
        """Cut the connection now; what is taken at present is taken no further."""
        super().abort()
        if self._taking is not None:
            self._taking.cancel()

    def received(self, payload: bytes, *, is_text: bool) -> None:  # noqa: ARG002 - both carry bytes
        """Hand a message on, and read no more until there is room for more."""
        client = self._client
        if client is None:
            return
        client.data_received(payload[: client.piece_bytes])
        rest = payload[client.piece_bytes :]
        if rest or not client.has_room():
            self.pause_reading()
            taking = self._take_when_there_is_room(client, rest)
            self._taking = asyncio.get_running_loop().create_task(taking)

    def ended(self, error: Exception | None) -> None:
        """Tell the client, and through it who it is connected to, how the WebSocket ended."""
        client, self._client = self._client, None
        if client is None:
            return
        if isinstance(error, WebSocketError) and error.code == CloseCode.TOO_BIG:
            text = f"A message is longer than {MAX_RECORD_BYTES} bytes."
            client.disconnect(text, allow_reconnect=True)
        client.transport_lost(self, Lost.ORDERLY if error is None else Lost.BROKEN)

    async def _take_when_there_is_room(self, client: AnyClient, rest: bytes) -> None:
        await client.room()
        await client.receive(rest)
        self._taking = None
        self.resume_reading()
