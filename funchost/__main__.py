"""The command: `python -m funchost`."""

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from funchost.easy_auth import EasyAuth
from funchost.front import Front, function_urls
from funchost.keys import FunctionKeys
from funchost.routes import RouteError, Router
from funchost.settings import (
    HostSettings,
    LocalSettings,
    SettingsError,
    apply_values,
    choose_port,
    load_host_settings,
    load_local_settings,
)
from funchost.worker import Function, IndexingError, Worker

__all__ = ["main"]

_SETTINGS_FILE: Final = "local.settings.json"
# How long requests that run may take to finish once the host is told to stop.
_GRACE_SECONDS: Final = 5.0
# Their DEBUG records carry URLs with query values.
_QUIET: Final = ("asyncio", "msal", "urllib3")

_log: Final = logging.getLogger("funchost")


@dataclass(frozen=True, slots=True)
class _Options:
    app_dir: Path
    host: str
    port: int | None
    settings: Path | None
    auth: bool
    keys: bool
    verbose: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a function app until SIGINT or SIGTERM; return the process's exit code."""
    options = _parse(arguments)
    _configure_logging(verbose=options.verbose)
    # SIGTERM while the app is imported ends like Ctrl-C, without a traceback.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _run(options)
    except IndexingError as error:
        if options.verbose and error.stack_trace:
            sys.stderr.write(error.stack_trace)
        return _refuse(error)
    except (SettingsError, RouteError) as error:
        return _refuse(error)
    except KeyboardInterrupt:
        return 0


def _parse(arguments: Sequence[str] | None) -> _Options:
    parser = argparse.ArgumentParser(
        prog="python -m funchost",
        description="Run an Azure Functions app (Python, v2 programming model) on this machine, "
        "with the worker library that runs it in Azure.",
        epilog="Port: --port, else the environment variable PORT, else Host.LocalHttpPort of "
        "local.settings.json, else 7071. Values of local.settings.json go into the environment; "
        "variables that are set already win. Ctrl-C stops the host.",
    )
    parser.add_argument(
        "--app-dir",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder with function_app.py and host.json (default: the current one)",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    parser.add_argument("--port", type=int, help="port to listen on; 0 picks a free one")
    parser.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help=f"settings file (default: {_SETTINGS_FILE} in the app's folder, if it exists)",
    )
    parser.add_argument(
        "--auth",
        action="store_true",
        help="stand in for App Service authentication: /.auth/login/<provider>, /.auth/me and "
        "/.auth/logout, and the principal's headers for who has signed in",
    )
    parser.add_argument(
        "--keys",
        action="store_true",
        help="ask for function keys (x-functions-key or code), which are printed at the start",
    )
    parser.add_argument(
        "--verbose", action="store_true", help="log at DEBUG level, with the worker's own records"
    )
    return _Options(**vars(parser.parse_args(arguments)))


def _run(options: _Options) -> int:
    app_dir = options.app_dir.resolve()
    host_settings = load_host_settings(app_dir)
    local = load_local_settings(
        (options.settings or app_dir / _SETTINGS_FILE).resolve(),
        required=options.settings is not None,
    )
    for name in apply_values(local.values, os.environ):
        _log.warning("%s is set in the environment; the value in the settings file is unused", name)

    # Bound before the app is loaded: a taken port shows at once, and the app may ask for its name.
    listener = _bind(options.host, choose_port(options.port, os.environ, local))
    base_url = _base_url(options.host, listener.getsockname()[1])
    _describe_host(base_url)
    if options.auth:
        os.environ["WEBSITE_AUTH_ENABLED"] = "True"
    return asyncio.run(
        _serve(app_dir, listener, base_url, host_settings, local=local, options=options)
    )


async def _serve(
    app_dir: Path,
    listener: socket.socket,
    base_url: str,
    host_settings: HostSettings,
    *,
    local: LocalSettings,
    options: _Options,
) -> int:
    keys = FunctionKeys.new() if options.keys else None
    worker = Worker()
    functions = await worker.start(app_dir)
    router = _router(functions, host_settings.route_prefix)
    runner = web.AppRunner(
        Front(
            worker,
            router,
            cors=local.cors,
            auth=EasyAuth() if options.auth else None,
            keys=keys,
        ).application(),
        access_log=None,
        # A function gets a compressed body as it came.
        auto_decompress=False,
        # aiohttp waits this long twice: for the request, and for the request that it cancelled.
        shutdown_timeout=_GRACE_SECONDS / 2,
    )
    await runner.setup()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await web.SockSite(runner, listener).start()

    sys.stdout.write(f"{function_urls(functions, base_url, host_settings.route_prefix)}\n")
    if keys is not None:
        sys.stdout.write(f"Function key: {keys.function}\nMaster key: {keys.master}\n")
    sys.stdout.write(f"Functions host ready on {base_url}\n")
    sys.stdout.flush()
    await stop.wait()

    await runner.cleanup()
    _stop(worker)
    return 0


def _router(functions: Sequence[Function], prefix: str) -> Router:
    router = Router(prefix)
    for function in functions:
        if function.is_http:
            router.add(function.name, function.route, function.methods)
        for binding in function.unserved:
            _log.warning("%s: this host does not serve the binding %s", function.name, binding)
    for here, azure in router.contested():
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


def _stop(worker: Worker) -> None:
    # A sync function cannot be interrupted, and the interpreter would wait for its thread for ever.
    closing = threading.Thread(target=worker.stop, daemon=True)
    closing.start()
    closing.join(timeout=1)
    if closing.is_alive():
        _log.warning("a function still runs; stopping without it")
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)


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


def _describe_host(base_url: str) -> None:
    """Set what Core Tools tells an app about where it runs."""
    os.environ.setdefault("FUNCTIONS_WORKER_RUNTIME", "python")
    os.environ.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
    os.environ.setdefault("WEBSITE_HOSTNAME", base_url.removeprefix("http://"))


def _configure_logging(*, verbose: bool) -> None:
    formatter = logging.Formatter(
        "[{asctime}.{msecs:03.0f}Z] {levelname:<7} {message}", "%Y-%m-%dT%H:%M:%S", "{"
    )
    formatter.converter = time.gmtime
    console = logging.StreamHandler()
    console.setFormatter(formatter)
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[console])
    if not verbose:
        # The worker library writes several records an invocation; what it writes as errors comes
        # back as results too, and those are reported.
        library = logging.getLogger("azure.functions")
        library.setLevel(logging.WARNING)
        library.addFilter(lambda record: record.levelno < logging.ERROR)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.INFO)
    logging.getLogger("aiohttp.server").addFilter(_is_no_fault_of_a_caller)


def _is_no_fault_of_a_caller(record: logging.LogRecord) -> bool:
    # For a malformed request the record would quote it, with headers and query values.
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | ConnectionError)


def _refuse(error: Exception) -> int:
    # To a failed import the worker library appends its whole search path.
    message, _, _ = str(error).partition(" Current sys.path:")
    sys.stderr.write(f"{message}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
