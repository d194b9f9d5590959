"""What a client's request asks for, before anybody looks at its token."""

import re
from urllib.parse import unquote

from aiohttp import hdrs, web

from ..authentication.client_tokens import HttpTransports
from ..errors import InvalidRequestError
from ..operations.parameters import effective_hub
from ..websocket.upgrade import is_upgrade

__all__ = [
    "hub_of",
    "negotiate_version",
    "preflight",
    "query_without_secrets",
    "require_id",
    "sent_query",
    "shown_headers",
    "transport_of",
]

_NUMBER = re.compile(r"[0-9]{1,9}")
_FORWARDED = "X-Forwarded-For"
_HIDDEN = frozenset(("authorization", _FORWARDED.lower()))
_EVENT_STREAM = "text/event-stream"
_TOKEN_PARAMETERS = frozenset(("access_token", "id"))
"""Whoever has the first can connect as the user, and with both take over the connection."""


async def preflight(request: web.Request) -> web.Response:
    """Answer a CORS preflight: every method and header is allowed (Fetch standard)."""
    headers = {}
    for asked, allowed in (
        (hdrs.ACCESS_CONTROL_REQUEST_METHOD, hdrs.ACCESS_CONTROL_ALLOW_METHODS),
        (hdrs.ACCESS_CONTROL_REQUEST_HEADERS, hdrs.ACCESS_CONTROL_ALLOW_HEADERS),
    ):
        if asked in request.headers:
            headers[allowed] = request.headers[asked]
    return web.Response(status=204, headers=headers)


def transport_of(request: web.Request) -> HttpTransports:
    """Tell by which transport a request wants to connect."""
    if _EVENT_STREAM in request.headers.get(hdrs.ACCEPT, "").lower():
        return HttpTransports.SERVER_SENT_EVENTS
    if is_upgrade(request):
        return HttpTransports.WEB_SOCKETS
    return HttpTransports.LONG_POLLING


def require_id(request: web.Request) -> None:
    """Refuse a request that names no connection."""
    if "id" not in request.query:
        raise web.HTTPBadRequest(text="Connection ID required")


def hub_of(request: web.Request) -> str:
    """Give the hub that a request is for, in lower case."""
    try:
        return effective_hub(request.query.get("hub", ""))
    except InvalidRequestError as error:
        raise web.HTTPBadRequest(text=error.message) from error


def sent_query(request: web.Request) -> str:
    """Give the query byte for byte as the client sent it, without the question mark."""
    return request.raw_path.partition("?")[2]


def query_without_secrets(request: web.Request) -> str:
    """Give the query as the client sent it, without its client token and connection token."""
    parameters = sent_query(request).split("&")
    return "&".join(each for each in parameters if _name(each) not in _TOKEN_PARAMETERS)


def shown_headers(request: web.Request) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Give the headers that an app server sees: its own client's, without the client token.

    The last address of `X-Forwarded-For` is where the request has come from.
    """
    headers = request.headers
    names = {name.lower(): str(name) for name in headers}
    forwarded = [*headers.getall(_FORWARDED, ()), request.remote or ""]
    shown = {
        name: tuple(headers.getall(name)) for name in names.values() if name.lower() not in _HIDDEN
    }
    return *shown.items(), (_FORWARDED, (", ".join(filter(None, forwarded)),))


def negotiate_version(request: web.Request) -> int | None:
    """Give the version of the negotiation, or None for text that is no number."""
    text = request.query.get("negotiateVersion", "0")
    return int(text) if _NUMBER.fullmatch(text) else None


def _name(parameter: str) -> str:
    return unquote(parameter.partition("=")[0]).lower()
