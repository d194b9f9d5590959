"""The Server-Sent Events transport: one response that does not end, and requests to send.

Source: TransportProtocols.md of dotnet/aspnetcore.
"""

import asyncio
from operator import attrgetter

from aiohttp import hdrs, web

from ..protocols.supported import HubProtocol, TransferFormat
from ..sockets.writer import SocketWriter
from .event_stream import OPENING_CHUNK, event_chunk
from .sink import Form, Sink

__all__ = ["ServerSentEventsTransport", "event_stream_response"]

_EVENT: Form = attrgetter("event")


def event_stream_response() -> web.StreamResponse:
    """Make the response that carries the events."""
    response = web.StreamResponse(
        headers={
            hdrs.CONTENT_TYPE: "text/event-stream",
            hdrs.CACHE_CONTROL: "no-cache, no-store",
            "X-Accel-Buffering": "no",
        }
    )
    response.enable_chunked_encoding()
    # Its end is the end of the connection, so that a client that does not read can be cut.
    response.force_close()
    return response


class ServerSentEventsTransport(SocketWriter):
    """Carries bytes to one client as events.

    Args:
        transport: The transport of a socket to which the response's headers were written.
        max_buffered: Bytes that may wait for a slow client.
        linger: How long a closing client may take to read what was sent, in seconds.
    """

    __slots__ = ("_closed",)

    def __init__(self, transport: asyncio.Transport, max_buffered: int, linger: float) -> None:
        super().__init__(transport, max_buffered, linger)
        self._closed = asyncio.Event()
        self._put(OPENING_CHUNK)

    def send(self, payload: bytes, _transfer_format: TransferFormat) -> None:
        """Send records of the JSON hub protocol as one event."""
        self._put(event_chunk(payload))

    def form(self, _protocol: HubProtocol) -> Form:
        """Give the form of messages that go to many clients."""
        return _EVENT

    @property
    def sink(self) -> Sink:
        """What takes messages that go to many clients: the transport itself."""
        return self

    def close(self) -> None:
        """End the response after what was sent; what is sent later is dropped."""
        if not self._closed.is_set():
            self._stop_writing()
            self._closed.set()

    async def closed(self) -> None:
        """Wait until the response has to end."""
        await self._closed.wait()
