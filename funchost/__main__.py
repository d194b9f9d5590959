"""The command: `funchost`, or `python -m funchost`."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from .configuration import (
    AUTH_ENABLED,
    Configuration,
    configure,
    own_environment,
    set_host_variables,
    settings_file,
)
from .log import RequestLog, Volume, configure_logging
from .options import Options, parse_options
from .ports import bind_alone
from .reload.files import Watch
from .reload.loads import follow
from .routing.routes import RouteError
from .settings import HOST_FILE, SettingsError, choose_port
from .worker.functions import IndexingError
from .worker.pool import WorkerPool

if TYPE_CHECKING:
    from .worker.runtime import Worker

__all__ = ["main"]

_log: Final = logging.getLogger("funchost")


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
    environ = own_environment(options)
    configuration = configure(options, environ)
    for name in sorted(configuration.unused - options.values.keys()):
        _log.warning("%s is set in the environment, so the settings file's is unused", name)

    # Bound before the app is loaded: a taken port shows at once, and the app may ask for its name.
    listener = _bind(options.host, choose_port(options.port, environ, configuration.local))
    address, port = listener.getsockname()[:2]
    base_url = _base_url(options.host, port)
    _warn_of_authentication(address, environ, auth=options.auth)
    set_host_variables(environ, base_url, auth=options.auth)
    asyncio.run(_serve(options, listener, base_url, configuration))
    return 0


async def _serve(
    options: Options, listener: socket.socket, base_url: str, configuration: Configuration
) -> None:
    watch = _watch(options) if options.reload else None
    worker = await _started(options, configuration)
    # Imported by now, where worker processes have loaded the app meanwhile.
    from .serving import App, Site  # noqa: PLC0415

    site = Site(options, base_url, App(configuration, worker))
    if watch is None:
        await site.serve(listener)
        return

    async def load() -> None:
        newer = configure(options, own_environment(options))
        set_host_variables(newer.environ, base_url, auth=options.auth)
        pool = await _pool(options, newer)
        try:
            site.replace(App(newer, pool))
        except RouteError:
            await pool.stop(0)
            raise

    tell = RequestLog(options.volume).note
    following = asyncio.create_task(follow(watch, options.app_dir, load, tell))
    try:
        await site.serve(listener)
    finally:
        following.cancel()


def _watch(options: Options) -> Watch:
    return Watch(options.app_dir, [options.app_dir / HOST_FILE, settings_file(options)])


async def _started(options: Options, configuration: Configuration) -> "Worker | WorkerPool":
    """Load the app in this process, or in others, which saves the time of what is imported here."""
    if options.reload or configuration.worker_count > 1:
        loading = asyncio.create_task(_pool(options, configuration))
        await asyncio.to_thread(import_module, ".serving", __package__)
        return await loading
    from .worker.runtime import Worker  # noqa: PLC0415  of use only here

    worker = Worker(options.interface)
    await worker.start(options.app_dir)
    return worker


async def _pool(options: Options, configuration: Configuration) -> WorkerPool:
    pool = WorkerPool(
        configuration.worker_count, configuration.environ, options.volume, options.interface
    )
    await pool.start(options.app_dir)
    return pool


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise SettingsError(f"--host {host}: {error.strerror}") from error
    listener = socket.socket(family, kind, protocol)
    try:
        bind_alone(listener, address)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"cannot listen on {host} port {port}: {os.strerror(error.errno or 0)}; "
            "choose another port with --port or PORT"
        ) from error
    return listener


def _base_url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _warn_of_authentication(address: str, environ: Mapping[str, str], *, auth: bool) -> None:
    if auth and not _is_loopback(address):
        _log.warning("whoever reaches %s signs in as anyone", address)
    elif not auth and environ.get(AUTH_ENABLED, "").lower() == "true":
        _log.warning(
            "%s is true, but nobody authenticates here: callers can send X-MS-CLIENT-PRINCIPAL "
            "headers of their own. Start the host with --auth",
            AUTH_ENABLED,
        )


def _is_loopback(address: str) -> bool:
    # An IPv6 address may name its interface.
    return ip_address(address.partition("%")[0]).is_loopback


def _report(error: Exception) -> int:
    sys.stderr.write(f"{error}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
