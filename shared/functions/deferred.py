"""The functions whose handlers are imported with their first request: all that negotiate not.

What their bindings say stands here, since the Functions host asks for it at each start.
"""

import asyncio
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

import azure.functions as func

from ..settings.hubs import Hubs
from .http_function import HttpFunction, RoutedFunction

if TYPE_CHECKING:
    from ..aio import SignalRServiceClient
    from .events.registry import Events
    from .negotiate.admission import Admission
    from .problems import Handler
    from .upstream.settings import UpstreamSettings

__all__ = ["deferred_functions", "openapi_function"]

type _Handlers = Callable[[], Mapping[str, Handler]]
"""Imports handlers and makes them, by the names of their functions."""

# POST to a path of two steps is left to the hub's own negotiate, so that a hub may be called
# "groups". The functions' names come before "negotiate_hub" for the same reason: the Functions
# host in Azure goes by them.
_NOT_POST: Final = ("GET", "HEAD", "PUT", "PATCH", "DELETE")


def deferred_functions(
    service: "SignalRServiceClient",
    hubs: Hubs,
    admission: "Admission",
    upstream: "UpstreamSettings | None",
    events: "Events",
    *,
    is_renewing: bool,
) -> Mapping[str, HttpFunction]:
    """Return the functions by their names.

    Args:
        service: Does what is asked.
        hubs: Which hubs there are.
        admission: Who may connect, and as what.
        upstream: How the service proves that a call is its own, if it can.
        events: Handlers of what clients do.
        is_renewing: Whether there are sign-ins to renew.
    """

    @functools.cache
    def refreshes() -> "Mapping[str, Handler]":
        from ..endpoints import refresh  # noqa: F401, PLC0415  as what `_import_operations` does
        from .negotiate.refresh import refresh_handlers  # noqa: PLC0415  see above

        _import_operations()
        return refresh_handlers(service, admission, is_on=is_renewing)

    @functools.cache
    def sends() -> "Mapping[str, Handler]":
        from .broadcast.handlers import broadcast_handlers  # noqa: PLC0415  see above

        _import_operations()
        return broadcast_handlers(service, hubs)

    @functools.cache
    def calls() -> "Mapping[str, Handler]":
        from .upstream.handlers import upstream_handlers  # noqa: PLC0415  see above

        _import_operations()
        return upstream_handlers(service, hubs, upstream, events)

    @functools.cache
    def health() -> "Mapping[str, Handler]":
        from .health import health_handlers  # noqa: PLC0415  see above

        return health_handlers(service)

    return {
        **_functions(refreshes, "refresh", "refresh_hub"),
        **_functions(sends, "broadcast", "groups", "group_connections", needs_key=True),
        **_functions(
            sends, "connection", "connected_user", "group", needs_key=True, methods=_NOT_POST
        ),
        **_functions(calls, "upstream"),
        **_functions(health, "health"),
    }


def openapi_function(registered: Iterable[RoutedFunction], path: str, hubs: Hubs) -> HttpFunction:
    """Return the function that hands out the description.

    Args:
        registered: The functions that there are; they may come later.
        path: Its own route below the host's route prefix.
        hubs: Which hubs there are.
    """

    @functools.cache
    def description() -> "Mapping[str, Handler]":
        from .openapi.handlers import openapi_handlers  # noqa: PLC0415  see above

        return openapi_handlers(registered, path, hubs)

    return _functions(description, "openapi")["openapi"]


def _functions(
    handlers: _Handlers,
    *names: str,
    needs_key: bool = False,
    methods: tuple[str, ...] | None = None,
) -> Mapping[str, HttpFunction]:
    return {name: HttpFunction(_answering(handlers, name), needs_key, methods) for name in names}


def _answering(handlers: _Handlers, name: str) -> "Handler":
    handler: Handler | None = None

    async def answer(req: func.HttpRequest) -> func.HttpResponse:
        nonlocal handler
        if handler is None:
            handler = (await _made(handlers))[name]
        return await handler(req)

    return answer


async def _made(handlers: _Handlers) -> "Mapping[str, Handler]":
    """Make handlers on a thread: on the event loop negotiations would wait until all is there."""
    try:
        return await asyncio.to_thread(handlers)
    except RuntimeError:
        # The system has no thread to give.
        return handlers()


def _import_operations() -> None:
    """Import what the service client does, which it would import on the event loop."""
    from ..rest import api  # noqa: F401, PLC0415  see above
