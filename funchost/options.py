"""The command line."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from . import __version__
from .log import Volume
from .server.hosts import host_name
from .server.keys import FUNCTION_KEY, MASTER_KEY
from .settings import BODY_LIMIT, SETTINGS_FILE, WORKER_COUNT
from .shutdown import GRACE_SECONDS
from .worker.interface import Interface

__all__ = ["Options", "parse_options"]

_DESCRIPTION: Final = """\
Run an Azure Functions app (Python, v2 programming model) on this machine, with the worker library
that runs it in Azure. HTTP functions are served; other triggers are listed and not run."""

_EPILOG: Final = f"""\
Values of local.settings.json go into the environment; variables that are set already win. The
host itself reads

  PORT
      port to listen on, after --port and before Host.LocalHttpPort of local.settings.json; 7071
      without any
  {WORKER_COUNT}
      worker processes, 1 (the default: the host's own process) to 10; a request goes to the one
      with the fewest, and one that ends is replaced
  PYTHON_THREADPOOL_THREAD_COUNT
      threads for functions that are not async, in each worker process
  {BODY_LIMIT}
      longest body of a request in bytes (default: 104857600); a longer one is answered 413
  {FUNCTION_KEY}, {MASTER_KEY}
      the keys that --keys asks for

CORS is Host.CORS (origins separated by commas, or *) and Host.CORSCredentials of
local.settings.json; where Host.CORS says nothing, pages of this machine may call, with cookies. The
route prefix is extensions.http.routePrefix of host.json.

Ctrl-C or SIGTERM stops the host: it takes no new requests, and ends when those that run are
answered, after {GRACE_SECONDS:.0f} seconds at the latest. The same signal again ends it at once."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Args:
        app_dir: Folder of the app.
        host: Address to listen on.
        host_names: Host names that lead here, beside addresses of this machine.
        port: Port to listen on, 0 for a free one; `None` leaves it to the settings.
        settings: The settings file; `None` for the app's own, if it has one.
        auth: Whether to stand in for App Service authentication.
        keys: Whether to ask for function keys.
        values: Settings that win over environment and settings file.
        reload: Whether to load the app anew when its files change.
        interface: How the worker library is called; `None` for the newest interface that it has.
        volume: How much to log.
    """

    app_dir: Path
    host: str
    host_names: Sequence[str]
    port: int | None
    settings: Path | None
    auth: bool
    keys: bool
    values: Mapping[str, str]
    reload: bool
    interface: Interface | None
    volume: Volume


def parse_options(arguments: Sequence[str] | None) -> Options:
    """Read the command line; leave the process where it asks for help or is wrong.

    Args:
        arguments: The command line without the program's name; `None` for that of the process.
    """
    parser = argparse.ArgumentParser(
        prog="funchost",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--app-dir",
        type=_path,
        default=".",
        metavar="DIR",
        help="folder with function_app.py and host.json (default: the current one)",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--host-name",
        dest="host_names",
        action="append",
        type=_host_name,
        default=[],
        metavar="NAME",
        help="host name by which this host is called, beside addresses of this machine; may be "
        "given several times. Requests to other names are refused",
    )
    parser.add_argument("--port", type=int, help="port to listen on; 0 picks a free one")
    parser.add_argument(
        "--settings",
        type=_path,
        metavar="FILE",
        help=f"settings file (default: {SETTINGS_FILE} in the app's folder, if it exists)",
    )
    parser.add_argument(
        "--auth",
        action="store_true",
        help="stand in for App Service authentication, and tell the app so by "
        "WEBSITE_AUTH_ENABLED: anybody signs in as anyone at /.auth/login/<provider>; "
        "/.auth/me and /.auth/logout are there; functions get the principal's headers "
        "(X-MS-CLIENT-PRINCIPAL and others), and from nobody else",
    )
    parser.add_argument(
        "--keys",
        action="store_true",
        help="ask for function keys (header x-functions-key or query code) as Azure does; they "
        f"are made and printed at the start, or taken from {FUNCTION_KEY} and {MASTER_KEY}",
    )
    parser.add_argument(
        "--reload",
        action="store_true",
        help="run the functions in worker processes, and load the app anew when a .py file of it, "
        "host.json or the settings file is saved; logins stay, requests that run are finished by "
        "the old code, and where the new one has an error, the old one stays",
    )
    parser.add_argument(
        "--worker",
        dest="interface",
        choices=[each.value for each in Interface],
        help="how Microsoft's worker library is called: by its native interface (the default where "
        "its version has one), or with the protobuf messages that it gets from today's proxy",
    )
    parser.add_argument(
        "--set",
        dest="values",
        action="append",
        type=_value,
        default=[],
        metavar="NAME=VALUE",
        help="a setting that wins over environment and settings file; may be given several times. "
        "Others of this machine can see it, so nothing secret belongs here",
    )
    volume = parser.add_mutually_exclusive_group()
    volume.add_argument(
        "--quiet",
        dest="volume",
        action="store_const",
        const=Volume.QUIET,
        default=Volume.NORMAL,
        help="log warnings and errors only, and one line for each request; list no functions",
    )
    volume.add_argument(
        "--verbose",
        dest="volume",
        action="store_const",
        const=Volume.VERBOSE,
        help="log at DEBUG level, with the worker's own records, and in each line the date, the "
        "worker process and the invocation",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    options = parser.parse_args(arguments)
    options.values = dict(options.values)
    options.interface = Interface(options.interface) if options.interface else None
    return Options(**vars(options))


def _value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is no setting: write it as NAME=VALUE")
    return name, value


def _path(text: str) -> Path:
    # The app, which may run in this process, finds its folder to be the current one.
    return Path(text).resolve()


def _host_name(text: str) -> str:
    try:
        return host_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
