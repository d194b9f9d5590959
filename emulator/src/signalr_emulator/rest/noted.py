"""What is noted with a request on its way, for the journal."""

from typing import Final

from aiohttp import web

from ..state.journal import Request

__all__ = ["NOTED"]

NOTED: Final = web.RequestKey("noted", Request)
"""One object with the request, since each look at a request by a key takes a call or two."""
