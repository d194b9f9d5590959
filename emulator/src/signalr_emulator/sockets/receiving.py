"""One buffer that all connections of a server receive into.

For a plain protocol, asyncio asks for 256 KiB of memory at each read and gives back what it did not
need. Objects of connections that come and go settle in between, so that the memory of the process
grows for as long as it runs, although nothing is left in it.
"""

import asyncio
from collections.abc import Callable

__all__ = ["hand_over", "with_one_buffer"]

_BUFFER_BYTES = 256 * 1024
"""What asyncio asks a socket for."""


def with_one_buffer(
    factory: Callable[[], asyncio.Protocol],
) -> Callable[[], asyncio.BufferedProtocol]:
    """Let the connections of a server share a buffer.

    Args:
        factory: Makes the protocol of a connection.

    Returns:
        What makes the protocol that asyncio is to see.
    """
    buffer = memoryview(bytearray(_BUFFER_BYTES))
    return lambda: _Receiver(factory(), buffer)


def hand_over(transport: asyncio.Transport, protocol: asyncio.Protocol) -> None:
    """Let another protocol take what a connection brings from now on, its end included.

    Args:
        transport: Of a server that receives by `with_one_buffer`.
        protocol: What takes it. It is not told of the transport.
    """
    receiver = transport.get_protocol()
    if not isinstance(receiver, _Receiver):
        raise TypeError("The server does not receive by `with_one_buffer`.")
    receiver.protocol = protocol


class _Receiver(asyncio.BufferedProtocol):
    """Receives for a protocol and hands everything on to it."""

    __slots__ = ("_buffer", "protocol")

    def __init__(self, protocol: asyncio.Protocol, buffer: memoryview) -> None:
        self.protocol = protocol
        self._buffer = buffer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.protocol.connection_made(transport)

    def get_buffer(self, _size: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, size: int) -> None:
        # asyncio fills the buffer and says so in one go: nobody else has received in between.
        self.protocol.data_received(bytes(self._buffer[:size]))

    def eof_received(self) -> bool | None:
        return self.protocol.eof_received()

    def pause_writing(self) -> None:
        self.protocol.pause_writing()

    def resume_writing(self) -> None:
        self.protocol.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self.protocol.connection_lost(error)
