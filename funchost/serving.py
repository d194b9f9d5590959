"""Serves an app by HTTP until the host is told to stop."""

import asyncio
import logging
import socket
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from aiohttp import web

from .authentication.sign_in import EasyAuth
from .configuration import Configuration
from .log import RequestLog, Volume
from .options import Options
from .routing.routes import Router
from .server.admission import Admission
from .server.front_end import FrontEnd, application, function_urls, runner
from .shutdown import GRACE_SECONDS, StopSignals, exit_now, returns_within
from .worker.functions import Function
from .worker.pool import WorkerPool

if TYPE_CHECKING:
    from .worker.runtime import Worker

__all__ = ["App", "Site"]

# How long threads of functions may take once no request runs any more.
_THREADS_END_SECONDS: Final = 1.0

_log: Final = logging.getLogger("funchost")


class App(NamedTuple):
    """An app that is loaded.

    Args:
        configuration: What it runs with.
        worker: Runs its functions.
    """

    configuration: Configuration
    worker: "Worker | WorkerPool"


class Site:
    """Where an app is served, and may be replaced by another load of it.

    Who has signed in stays so, and so do connections; each request is for the load that is there
    when it comes.

    Args:
        options: What the command line says.
        base_url: Where it listens.
        app: The app.

    Raises:
        RouteError: A function has a route that cannot be.
    """

    def __init__(self, options: Options, base_url: str, app: App) -> None:
        self._options = options
        self._base_url = base_url
        self._keys = app.configuration.keys
        self._auth = EasyAuth() if options.auth else None
        self._app = app
        self._front_end = self._made(app)
        self._replaced: set[asyncio.Task[None]] = set()

    def replace(self, app: App) -> None:
        """Have another load of the app serve what comes from now on.

        The old one finishes what it has, and is ended then.

        Raises:
            RouteError: A function has a route that cannot be.
        """
        front_end = self._made(app)
        ending = asyncio.create_task(_end(self._front_end, self._app.worker))
        self._replaced.add(ending)
        ending.add_done_callback(self._replaced.discard)
        self._tell_moves(self._app.configuration, app.configuration)
        self._front_end, self._app = front_end, app

    async def serve(self, listener: socket.socket) -> None:
        """Serve until SIGINT or SIGTERM; the process ends with it where a function still runs."""
        served = runner(application(self._answer), GRACE_SECONDS)
        await served.setup()
        signals = StopSignals()
        signals.listen()
        await web.SockSite(served, listener).start()
        self._tell_start()
        await signals.requested.wait()
        _log.info("stopping; requests that run have %d seconds to finish", GRACE_SECONDS)
        answered = await _answered(served, signals)
        for ending in self._replaced:
            ending.cancel()
        await asyncio.gather(*self._replaced, return_exceptions=True)
        if not await _stopped(self._app.worker, answered=answered):
            _log.warning("a function still runs; stopping without it")
            exit_now()

    async def _answer(self, request: web.Request) -> web.Response:
        return await self._front_end.serve(request)

    def _made(self, app: App) -> FrontEnd:
        options, (configuration, worker) = self._options, app
        cors = configuration.local.cors
        return FrontEnd(
            worker,
            _router(worker.functions, configuration.settings.route_prefix),
            admission=Admission(options.host, frozenset(options.host_names), cors),
            cors=cors,
            auth=self._auth,
            keys=self._keys,
            max_body_bytes=configuration.body_limit,
            log=RequestLog(options.volume),
        )

    def _tell_start(self) -> None:
        configuration, worker = self._app
        is_quiet = self._options.volume is Volume.QUIET
        if not is_quiet:
            prefix = configuration.settings.route_prefix
            sys.stdout.write(f"{function_urls(worker.functions, self._base_url, prefix)}\n")
        if self._keys is not None:
            sys.stdout.write(self._keys.notice)
        if not is_quiet:
            sys.stdout.write(f"Functions host ready on {self._base_url}\n")
        sys.stdout.flush()

    def _tell_moves(self, old: Configuration, new: Configuration) -> None:
        if old.local.port != new.local.port:
            _log.warning("Host.LocalHttpPort counts when the host is started again")
        for name in sorted(new.unused):
            if old.local.values.get(name) != new.local.values[name]:
                _log.warning(
                    "%s has been set by whoever started the host, so the settings file's is unused "
                    "(with make start: start it again)",
                    name,
                )
        if old.settings != new.settings:
            _log.warning(
                "the functions are at %s%s now, no longer at %s%s; whoever calls them there has to "
                "be told (with make start: start it again)",
                *(self._base_url, new.settings.base_path),
                *(self._base_url, old.settings.base_path),
            )


async def _end(front_end: FrontEnd, worker: "Worker | WorkerPool") -> None:
    try:
        await front_end.finished()
    finally:
        await _stopped(worker, answered=True)


async def _answered(served: web.AppRunner, signals: StopSignals) -> bool:
    """Take no more requests; tell whether those that run are answered in time."""
    answering = asyncio.create_task(served.cleanup())
    forcing = asyncio.create_task(signals.forced.wait())
    await asyncio.wait(
        (answering, forcing), timeout=GRACE_SECONDS, return_when=asyncio.FIRST_COMPLETED
    )
    forcing.cancel()
    return answering.done()


async def _stopped(worker: "Worker | WorkerPool", *, answered: bool) -> bool:
    seconds = _THREADS_END_SECONDS if answered else 0
    if isinstance(worker, WorkerPool):
        await worker.stop(seconds)
        return answered
    return answered and returns_within(seconds, worker.stop)


def _router(functions: Sequence[Function], prefix: str) -> Router:
    router = Router(prefix)
    for function in functions:
        if function.is_http:
            router.add(function.name, function.route, function.methods)
        for binding in function.unserved:
            _log.warning("%s: this host does not serve the binding %s", function.name, binding)
    for here, azure in router.ambiguous():
        _log.warning(
            "the routes of %s and %s overlap: the more precise one, %s, is called here, but Azure "
            "goes by function name and calls %s; tell them apart by a constraint or rename one",
            here,
            azure,
            here,
            azure,
        )
    if not functions:
        _log.warning("the app has no functions")
    return router
