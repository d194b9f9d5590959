"""The command: `funchost`, or `python -m funchost`."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from aiohttp import web

from .authentication.sign_in import EasyAuth
from .log import RequestLog, Volume, configure_logging
from .options import Options, parse_options
from .routing.routes import RouteError, Router
from .server.admission import Admission
from .server.front_end import FrontEnd, function_urls
from .server.keys import FunctionKeys
from .settings import (
    SETTINGS_FILE,
    HostSettings,
    LocalSettings,
    SettingsError,
    apply_values,
    choose_body_limit,
    choose_port,
    choose_worker_count,
    load_host_settings,
    load_local_settings,
)
from .shutdown import GRACE_SECONDS, StopSignals, exit_now, returns_within
from .worker.functions import Function, IndexingError
from .worker.pool import WorkerPool
from .worker.runtime import Worker

__all__ = ["main"]

# How long threads of functions may take once no request runs any more.
_THREADS_END_SECONDS: Final = 1.0
_AUTH_ENABLED: Final = "WEBSITE_AUTH_ENABLED"

_log: Final = logging.getLogger("funchost")


@dataclass(frozen=True, slots=True)
class _Host:
    """What the host was told, by its options and by the app's files."""

    options: Options
    app_dir: Path
    settings: HostSettings
    local: LocalSettings
    body_limit: int
    worker_count: int
    keys: FunctionKeys | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a function app until SIGINT or SIGTERM; return the process's exit code."""
    options = parse_options(arguments)
    configure_logging(options.volume)
    # SIGTERM while the app is imported ends like Ctrl-C, without a traceback.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _run(options)
    except IndexingError as error:
        if options.volume is Volume.VERBOSE and error.stack_trace:
            sys.stderr.write(error.stack_trace)
        return _report(error)
    except (SettingsError, RouteError) as error:
        return _report(error)
    except KeyboardInterrupt:
        return 0


def _run(options: Options) -> int:
    app_dir = options.app_dir.resolve()
    settings = load_host_settings(app_dir)
    local = load_local_settings(
        (options.settings or app_dir / SETTINGS_FILE).resolve(),
        required=options.settings is not None,
    )
    os.environ.update(options.values)
    for name in apply_values(local.values, os.environ):
        if name not in options.values:
            _log.warning("%s is set in the environment, so the settings file's is unused", name)
    host = _Host(
        options,
        app_dir,
        settings,
        local,
        choose_body_limit(os.environ),
        choose_worker_count(os.environ),
        FunctionKeys.from_environment(os.environ) if options.keys else None,
    )

    # Bound before the app is loaded: a taken port shows at once, and the app may ask for its name.
    listener = _bind(options.host, choose_port(options.port, os.environ, local))
    base_url = _base_url(options.host, listener.getsockname()[1])
    _set_host_variables(base_url)
    _set_authentication_variable(listener.getsockname()[0], authenticates=options.auth)
    asyncio.run(_serve(host, listener, base_url))
    return 0


async def _serve(host: _Host, listener: socket.socket, base_url: str) -> None:
    worker = _worker(host)
    functions = await worker.start(host.app_dir)
    prefix = host.settings.route_prefix
    front_end = FrontEnd(
        worker,
        _router(functions, prefix),
        admission=Admission(host.options.host, frozenset(host.options.host_names), host.local.cors),
        cors=host.local.cors,
        auth=EasyAuth() if host.options.auth else None,
        keys=host.keys,
        max_body_bytes=host.body_limit,
        log=RequestLog(host.options.volume),
    )
    runner = front_end.runner(GRACE_SECONDS)
    await runner.setup()
    signals = StopSignals()
    signals.listen()
    await web.SockSite(runner, listener).start()

    if host.options.volume is not Volume.QUIET:
        sys.stdout.write(f"{function_urls(functions, base_url, prefix)}\n")
    if host.keys is not None:
        sys.stdout.write(host.keys.notice)
    if host.options.volume is not Volume.QUIET:
        sys.stdout.write(f"Functions host ready on {base_url}\n")
    sys.stdout.flush()
    await signals.requested.wait()
    _log.info("stopping; requests that run have %d seconds to finish", GRACE_SECONDS)
    answered = await _answered(runner, signals)
    if not await _stopped(worker, answered=answered):
        _log.warning("a function still runs; stopping without it")
        exit_now()


def _worker(host: _Host) -> Worker | WorkerPool:
    if host.worker_count == 1:
        return Worker()
    return WorkerPool(host.worker_count, host.options.volume)


async def _answered(runner: web.AppRunner, signals: StopSignals) -> bool:
    """Take no more requests; tell whether those that run are answered in time."""
    answering = asyncio.create_task(runner.cleanup())
    forcing = asyncio.create_task(signals.forced.wait())
    await asyncio.wait(
        (answering, forcing), timeout=GRACE_SECONDS, return_when=asyncio.FIRST_COMPLETED
    )
    forcing.cancel()
    return answering.done()


async def _stopped(worker: Worker | WorkerPool, *, answered: bool) -> bool:
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


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise SettingsError(f"--host {host}: {error.strerror}") from error
    listener = socket.socket(family, kind, protocol)
    # A restart must not wait for connections of the previous run to time out.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"cannot listen on {host} port {port}: {os.strerror(error.errno or 0)}; "
            "choose another port with --port or PORT"
        ) from error
    return listener


def _base_url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _set_host_variables(base_url: str) -> None:
    """Set what Core Tools tells an app about where it runs."""
    os.environ.setdefault("FUNCTIONS_WORKER_RUNTIME", "python")
    os.environ.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
    os.environ.setdefault("WEBSITE_HOSTNAME", base_url.removeprefix("http://"))


def _set_authentication_variable(address: str, *, authenticates: bool) -> None:
    if authenticates:
        if not _is_loopback(address):
            _log.warning("whoever reaches %s signs in as anyone", address)
        # As App Service sets it, whatever the app's own settings say.
        os.environ[_AUTH_ENABLED] = "True"
    elif os.environ.get(_AUTH_ENABLED, "").lower() == "true":
        _log.warning(
            "%s is true, but nobody authenticates here: callers can send X-MS-CLIENT-PRINCIPAL "
            "headers of their own. Start the host with --auth",
            _AUTH_ENABLED,
        )


def _is_loopback(address: str) -> bool:
    # An IPv6 address may name its interface.
    return ip_address(address.partition("%")[0]).is_loopback


def _report(error: Exception) -> int:
    # To a failed import the worker library appends its whole search path.
    message, _, _ = str(error).partition(" Current sys.path:")
    sys.stderr.write(f"{message}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
