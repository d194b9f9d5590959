"""From a request to a WebSocket (RFC 6455, section 4.2), over aiohttp, which then lets go of it.

aiohttp keeps some 11 KB for a request whose handler runs: its own protocol and parser, request and
response, two tasks and every frame between them and the handler. Nothing of it is of use any more
once a connection has become a WebSocket.
"""

import asyncio
import hashlib
from base64 import b64encode
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from aiohttp import hdrs, web

from ..sockets.receiving import hand_over

if TYPE_CHECKING:
    from aiohttp.http_websocket import WebSocketReader

__all__ = ["is_upgrade", "switch_protocols", "take_over"]

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What the key of a client is hashed with (section 1.3)."""


def is_upgrade(request: web.BaseRequest) -> bool:
    """Tell whether a request asks for a WebSocket, in a form that can be answered."""
    return web.WebSocketResponse().can_prepare(request).ok


async def switch_protocols(request: web.BaseRequest) -> web.StreamResponse:
    """Answer a request that asks for a WebSocket, without subprotocol and without extension.

    So without compression: the frame of a message fits every client.
    """
    response = web.StreamResponse(
        status=HTTPStatus.SWITCHING_PROTOCOLS,
        headers={
            hdrs.UPGRADE: "websocket",
            hdrs.CONNECTION: "upgrade",
            hdrs.SEC_WEBSOCKET_ACCEPT: _accepted(request.headers[hdrs.SEC_WEBSOCKET_KEY]),
        },
    )
    writer = await response.prepare(request)
    if writer is not None:
        writer.send_headers()
    return response


def take_over(
    request: web.BaseRequest, transport: asyncio.Transport, protocol: asyncio.Protocol
) -> bytes:
    """Take a connection away from aiohttp, whose handler must not wait for anything any more.

    Args:
        request: Asked for a WebSocket, and was answered.
        transport: Where it came in.
        protocol: Takes what comes from now on. It is not told of the transport.

    Returns:
        What has come behind the request already.
    """
    theirs, rest = request.protocol, _Rest()
    theirs.set_parser(cast("WebSocketReader", rest))
    hand_over(transport, protocol)
    # For aiohttp the connection is lost: it cancels the task of this request, closes nothing that
    # it does not have, and forgets what it has kept.
    theirs.transport = None
    theirs.connection_lost(None)
    return bytes(rest.data)


class _Rest:
    """Stands where aiohttp has the reader of a WebSocket, and keeps what that would get."""

    def __init__(self) -> None:
        self.data = bytearray()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take what has come behind the request."""
        self.data += data
        return False, b""

    def feed_eof(self) -> None:
        """Do nothing: the end is told to the protocol that has taken over."""


def _accepted(key: str) -> str:
    """Give what shows a client that its key was read (section 4.2.2)."""
    digest = hashlib.sha1(key.strip().encode() + _GUID, usedforsecurity=False).digest()
    return b64encode(digest).decode()
