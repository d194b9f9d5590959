"""One WebSocket of a server, on the transport of its socket: no task, no queue."""

import asyncio
from abc import ABC, abstractmethod

from ..errors import WebSocketError
from ..sockets.writer import SocketWriter
from .frames import CloseCode, Opcode, close_frame, pong_frame
from .reading import FrameReader, Received

__all__ = ["WebSocketConnection"]


class WebSocketConnection(SocketWriter, asyncio.Protocol, ABC):
    """Reads messages for a subclass, which writes frames as a `SocketWriter` does.

    It answers to pings and carries out the closing handshake (RFC 6455, sections 5.5 and 7).

    Args:
        transport: The socket's transport, once the request to upgrade is answered.
        max_message: The longest message that is taken, in bytes.
        max_buffered: Bytes that may wait for a slow reader.
        linger: How long the other side may take to read what was sent and to close, in seconds.
    """

    __slots__ = ("_close_code", "_has_ended", "_is_closing", "_is_paused", "_reader")

    def __init__(
        self, transport: asyncio.Transport, max_message: int, max_buffered: int, linger: float
    ) -> None:
        super().__init__(transport, max_buffered, linger)
        self._reader = FrameReader(max_message)
        self._close_code = CloseCode.NORMAL
        self._is_paused = False
        self._is_closing = False
        self._has_ended = False

    @abstractmethod
    def received(self, payload: bytes, *, is_text: bool) -> None:
        """Take a whole message, whose text is UTF-8; `pause_reading` holds back the next one."""

    @abstractmethod
    def ended(self, error: Exception | None) -> None:
        """Take note, once, that no message comes any more; the WebSocket closes after this.

        Args:
            error: None if the other side has closed it, with whatever status; a `WebSocketError`
                if what it sent is refused, when there may still be something to write; a
                `ConnectionError` if the connection broke.
        """

    def close(self) -> None:
        """Close the WebSocket after what was sent; what is sent later is dropped."""
        if self._is_closing:
            return
        self._is_closing = True
        self._put(close_frame(self._close_code))
        self._stop_writing()
        if self._is_paused:
            # Among what comes is the frame that answers to this one.
            self.resume_reading()

    def pause_reading(self) -> None:
        """Read nothing more, so that the other side's system holds back what it sends."""
        self._is_paused = True
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on, after `pause_reading`."""
        self._is_paused = False
        self._read()
        if not self._is_paused:
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Take bytes of the socket."""
        if not self._has_ended:
            self._reader.feed(data)
            self._read()

    def connection_lost(self, _error: Exception | None) -> None:
        """Take note that the socket is closed."""
        self._is_closing = True
        self.abort()
        self._end(ConnectionResetError("The connection broke."))

    def _read(self) -> None:
        try:
            while not (self._is_paused or self._has_ended):
                received = self._reader.next()
                if received is None:
                    return
                self._take(received)
        except WebSocketError as error:
            self._close_code = CloseCode(error.code)
            self._end(error)

    def _take(self, received: Received) -> None:
        match received.opcode:
            case Opcode.TEXT | Opcode.BINARY if not self._is_closing:
                self.received(received.payload, is_text=received.opcode is Opcode.TEXT)
            case Opcode.PING:
                self._put(pong_frame(received.payload))
            case Opcode.CLOSE:
                self._end(None)

    def _end(self, error: Exception | None) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        self.ended(error)
        self.close()
        if error is None:
            self._transport.close()
            return
        # More may be coming. Closing the socket now would reset the connection, and the other side
        # would lose what it was told; so this side's sending ends, and the socket when the other
        # has closed its own or the time is over.
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._transport.resume_reading()
