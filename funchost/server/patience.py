"""How long a request may take to come: who never comes to its end must not be waited for.

The Functions host has such limits too (Kestrel: 30 seconds for the headers, and a rate below which
a body is given up).
"""

import asyncio
from typing import Final, NamedTuple

from aiohttp import web

__all__ = ["PATIENCE", "Patience", "read_body"]


class Patience(NamedTuple):
    """Limits of what a client may take.

    Args:
        headers: From the connection, or the last answer on it, to the end of the next headers.
        silence: Between two pieces of a body.
    """

    headers: float = 30.0
    silence: float = 30.0


PATIENCE: Final = Patience()


async def read_body(request: web.Request, longest: int, silence: float) -> bytes:
    """Read the body of a request.

    Args:
        request: The request, whose body nobody has read yet.
        longest: Length of the longest body, in bytes.
        silence: Seconds that may pass between two pieces of it.

    Raises:
        web.HTTPRequestEntityTooLarge: It is longer, or says so.
        web.HTTPRequestTimeout: Nothing came for too long.
    """
    length = request.content_length
    if length is not None and length > longest:
        raise web.HTTPRequestEntityTooLarge(longest, length)
    body = bytearray()
    while True:
        try:
            async with asyncio.timeout(silence):
                piece = await request.content.readany()
        except TimeoutError as error:
            raise web.HTTPRequestTimeout from error
        if not piece:
            return bytes(body)
        body += piece
        if len(body) > longest:
            raise web.HTTPRequestEntityTooLarge(longest, len(body))
