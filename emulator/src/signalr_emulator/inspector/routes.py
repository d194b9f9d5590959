"""The page, the stream that it draws, and what happened, one by one."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from aiohttp import hdrs, web

from ..documents.problems import problem
from ..state.service import Service
from ..transports.event_stream import event
from .details import details
from .role_routes import RoleRoutes
from .rows import row
from .snapshot import snapshot

__all__ = ["Inspector"]

_INTERVAL = 0.25
"""Seconds between two looks at the state."""

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_PAGE = "inspector.html"
_ASSETS = {
    "inspector.css": "text/css",
    "inspector.js": "text/javascript",
    "act.js": "text/javascript",
    "elements.js": "text/javascript",
    "timeline.js": "text/javascript",
}


class Inspector:
    """The page, the stream of states that it draws, and what it asks for.

    Args:
        service: What is shown.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._stopped = asyncio.Event()
        self._assets = {name: (files(__name__) / name).read_text("utf-8") for name in _ASSETS}
        self._page = (files(__name__) / _PAGE).read_text("utf-8")

    def routes(self) -> list[web.RouteDef]:
        """Give the routes of the page and of what it calls."""
        journal = "/emulator/journal"
        return [
            web.get("/", self._show_page),
            *(web.get(f"/{name}", self._show_asset) for name in _ASSETS),
            web.get("/emulator/events", self._events),
            web.get(journal, self._list),
            web.get(f"{journal}/{{id:[0-9]{{1,15}}}}", self._show),
            web.delete(journal, self._clear),
            *RoleRoutes(self._service).routes(),
        ]

    async def stop(self, _app: web.Application) -> None:
        """End the streams, which would otherwise keep the emulator from stopping."""
        self._stopped.set()

    async def _show_page(self, _request: web.Request) -> web.Response:
        return web.Response(
            text=self._page,
            content_type="text/html",
            headers={"Content-Security-Policy": _PAGE_POLICY},
        )

    async def _show_asset(self, request: web.Request) -> web.Response:
        name = request.path.removeprefix("/")
        return web.Response(text=self._assets[name], content_type=_ASSETS[name])

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Send the state now and whenever it has changed, as server-sent events (HTML standard).

        Rows are sent once each; `oldest` tells which of them are forgotten.
        """
        response = web.StreamResponse(
            headers={hdrs.CONTENT_TYPE: "text/event-stream", hdrs.CACHE_CONTROL: "no-store"}
        )
        await response.prepare(request)
        sent, newest = "", 0
        while not self._stopped.is_set():
            state = json.dumps({**snapshot(self._service), "oldest": self._service.journal.oldest})
            rows = [*self._rows(newest)]
            if state != sent or rows:
                update = {**json.loads(state), "now": self._service.clock.now(), "rows": rows}
                await response.write(event(json.dumps(update).encode()))
                sent = state
                newest = rows[-1]["id"] if rows else newest
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), _INTERVAL)
        return response

    async def _list(self, _request: web.Request) -> web.Response:
        return web.json_response({"rows": [*self._rows(0)]})

    async def _show(self, request: web.Request) -> web.Response:
        number = int(request.match_info["id"])
        happening = self._service.journal.find(number)
        if happening is None:
            return problem(HTTPStatus.NOT_FOUND, "The emulator has forgotten this row.")
        return web.json_response(details(self._service, number, happening))

    async def _clear(self, _request: web.Request) -> web.Response:
        self._service.journal.timeline.clear()
        return web.Response(status=HTTPStatus.NO_CONTENT)

    def _rows(self, after: int) -> Iterator[dict[str, Any]]:
        """Give the rows that are newer than a number, the oldest first."""
        newer = []
        for number, happening in self._service.journal.timeline:
            if number <= after:
                break
            newer.append((number, happening))
        return (row(number, happening) for number, happening in reversed(newer))
