"""What a client posts: everything that it sends, unless it has a WebSocket."""

from aiohttp import StreamReader, web

from ..clients.negotiations import Negotiated
from .live_clients import LiveClients

__all__ = ["MAX_POSTED", "take_body"]

MAX_POSTED = 1024 * 1024
"""The longest message that a client may post, in bytes (FAQ of the service)."""

_MAX_EARLY_BYTES = 64 * 1024
"""Bytes that may come before the transport does; ASP.NET Core lets a sender wait from here on."""


async def take_body(content: StreamReader, negotiated: Negotiated, clients: LiveClients) -> None:
    """Hand a body on piece by piece, as fast as the client may send.

    There is no limit to how many messages it holds. Of several requests one is read after the
    other, as ASP.NET Core does, since a message may go on in the next.

    Args:
        content: The body.
        negotiated: The client's connection.
        clients: Those that have a transport; who has none yet may send a little.

    Raises:
        HTTPException: The body cannot be read, the client is gone, or there is too much before it
            has a transport.
    """
    async with negotiated.sending:
        piece = bytearray()
        try:
            async for chunk in content.iter_any():
                piece += chunk
                if len(piece) >= MAX_POSTED:
                    await _take(bytes(piece), negotiated, clients)
                    piece.clear()
        except web.RequestPayloadError as error:
            raise web.HTTPBadRequest(text="The body cannot be read.") from error
        await _take(bytes(piece), negotiated, clients)


async def _take(data: bytes, negotiated: Negotiated, clients: LiveClients) -> None:
    # While it was read, the client may have connected, or be gone.
    live = clients.find(negotiated.connection_token)
    if live is not None:
        await live.client.receive(data)
        return
    if not clients.is_awaited(negotiated):
        raise web.HTTPNotFound(text="No Connection with that ID")
    length = len(negotiated.early) + len(data)
    if length > _MAX_EARLY_BYTES:
        raise web.HTTPRequestEntityTooLarge(_MAX_EARLY_BYTES, length)
    negotiated.early.extend(data)
