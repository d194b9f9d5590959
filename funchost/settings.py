"""`host.json` and `local.settings.json`: what of them matters on one machine.

Names and meaning are those of the Functions host (host.json reference, version 2.0) and of Azure
Functions Core Tools (local.settings.json). Parsing is pure; `load_*` read the files.
"""

import json
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from .json_file import JsonFile, SettingsError, parse_json_file, read_json_file
from .server.cors import LOOPBACK, CorsPolicy

__all__ = [
    "BODY_LIMIT",
    "HOST_FILE",
    "SETTINGS_FILE",
    "WORKER_COUNT",
    "HostSettings",
    "LocalSettings",
    "SettingsError",
    "apply_values",
    "choose_body_limit",
    "choose_port",
    "choose_worker_count",
    "load_host_settings",
    "load_local_settings",
    "parse_host_settings",
    "parse_local_settings",
]

HOST_FILE: Final = "host.json"
SETTINGS_FILE: Final = "local.settings.json"
BODY_LIMIT: Final = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"
WORKER_COUNT: Final = "FUNCTIONS_WORKER_PROCESS_COUNT"
_DEFAULT_PORT: Final = 7071
_LAST_PORT: Final = 65_535
_DEFAULT_BODY_LIMIT: Final = 100 * 1024 * 1024
# Kestrel's MaxRequestBodySize is a 64-bit number.
_LARGEST_BODY_LIMIT: Final = 2**63 - 1
_MOST_WORKERS: Final = 10
# Pages that a developer's own tools serve, at whatever port they choose. Others stay refused.
_OWN_PAGES: Final = CorsPolicy(frozenset({LOOPBACK}), credentials=True)


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What `host.json` says. `route_prefix` has no slashes around it and may be empty."""

    route_prefix: str = "api"

    @property
    def base_path(self) -> str:
        """What the paths of functions begin with: `/api`, or nothing without a prefix."""
        return f"/{self.route_prefix}" if self.route_prefix else ""


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """What `local.settings.json` says. `port` is `None` when it does not."""

    values: Mapping[str, str] = field(default_factory=dict)
    cors: CorsPolicy = _OWN_PAGES
    port: int | None = None


def parse_host_settings(text: str, name: str = "host.json") -> HostSettings:
    """Read the text of `host.json`; `name` is what errors call the file.

    Raises:
        SettingsError: It is no JSON object, not of version 2.0, or has a route prefix with which
            the Functions host makes no routes.
    """
    return _host_settings(parse_json_file(text, name))


def parse_local_settings(text: str, name: str = "local.settings.json") -> LocalSettings:
    """Read the text of `local.settings.json`; `name` is what errors call the file.

    Raises:
        SettingsError: It is no JSON object, is encrypted, or has a value of the wrong kind.
    """
    return _local_settings(parse_json_file(text, name))


def load_host_settings(app_dir: Path) -> HostSettings:
    """Read `host.json` of an app.

    Raises:
        SettingsError: It is missing, unreadable or wrong.
    """
    path = app_dir / HOST_FILE
    file = read_json_file(path)
    if file is None:
        raise SettingsError(
            f'no {path}; every function app has one, at least {{"version": "2.0"}} '
            "(or name the app's folder with --app-dir)"
        )
    return _host_settings(file)


def load_local_settings(path: Path, *, required: bool = False) -> LocalSettings:
    """Read `local.settings.json`. Without a file the settings are empty, unless it is `required`.

    Raises:
        SettingsError: It is missing and required, unreadable or wrong.
    """
    file = read_json_file(path)
    if file is None:
        if required:
            raise SettingsError(f"no {path}; correct --settings or leave it out")
        return LocalSettings()
    return _local_settings(file)


def apply_values(values: Mapping[str, str], environ: MutableMapping[str, str]) -> list[str]:
    """Put values into an environment and return the names that it had already.

    Those stay as they are, as with Core Tools.
    """
    kept = [name for name in values if name in environ]
    for name, value in values.items():
        environ.setdefault(name, value)
    return kept


def choose_port(option: int | None, environ: Mapping[str, str], local: LocalSettings) -> int:
    """Return the port to listen on: `--port`, `PORT`, `Host.LocalHttpPort`, then 7071.

    Raises:
        SettingsError: The first of them that is given is no port.
    """
    if option is not None:
        return _valid_port(option, "--port")
    default = _DEFAULT_PORT if local.port is None else local.port
    return _number(environ, "PORT", 0, _LAST_PORT, default)


def choose_body_limit(environ: Mapping[str, str]) -> int:
    """Return the length of the longest body of a request, in bytes.

    Raises:
        SettingsError: `FUNCTIONS_REQUEST_BODY_SIZE_LIMIT` is no positive number.
    """
    return _number(environ, BODY_LIMIT, 1, _LARGEST_BODY_LIMIT, _DEFAULT_BODY_LIMIT)


def choose_worker_count(environ: Mapping[str, str]) -> int:
    """Return how many processes run the functions; 1 stands for the host's own.

    Raises:
        SettingsError: `FUNCTIONS_WORKER_PROCESS_COUNT` is no number from 1 to 10.
    """
    return _number(environ, WORKER_COUNT, 1, _MOST_WORKERS, 1)


def _steps(prefix: str, name: str) -> str:
    """Return a route prefix without the slash that it may begin with.

    The Functions host writes the prefix, a slash and the route as one template (WebJobsRouteBuilder
    in azure-webjobs-sdk-extensions), of which ASP.NET Core drops the first slash and refuses two in
    a row (RoutePatternParser).
    """
    steps = prefix.removeprefix("/")
    if prefix and "" in steps.split("/"):
        right = "/".join(filter(None, prefix.split("/")))
        raise SettingsError(
            f'{name} is "{prefix}"; the Functions host takes no slash at its end, and no two '
            f'in a row: write "{right}"'
        )
    return steps


def _host_settings(file: JsonFile) -> HostSettings:
    if file.root.get("version") != "2.0":
        raise SettingsError(f'{file.place("version")}: "version" must be "2.0"')
    prefix = _section(file, "extensions", "http").get("routePrefix", "api")
    name = f"{file.place('extensions', 'http', 'routePrefix')}: extensions.http.routePrefix"
    if not isinstance(prefix, str):
        raise SettingsError(f"{name} must be a string")
    return HostSettings(_steps(prefix, name))


def _local_settings(file: JsonFile) -> LocalSettings:
    if file.root.get("IsEncrypted") is True:
        raise SettingsError(
            f"{file.place('IsEncrypted')}: IsEncrypted is true; decrypt the file "
            "(func settings decrypt) and set it to false"
        )
    values = {
        key: _text(value, f"{file.place('Values', key)}: Values.{key}")
        for key, value in _section(file, "Values").items()
        if value is not None
    }
    return LocalSettings(values, _cors(file), _port(file))


def _cors(file: JsonFile) -> CorsPolicy:
    host = _section(file, "Host")
    origins, credentials = host.get("CORS"), host.get("CORSCredentials")
    name = f"{file.place('Host', 'CORS')}: Host.CORS"
    if origins is None:
        origins = ""
    if credentials is None:
        credentials = not origins
    if not isinstance(origins, str):
        raise SettingsError(f"{name} must be a string, origins separated by commas")
    if not isinstance(credentials, bool):
        place = file.place("Host", "CORSCredentials")
        raise SettingsError(f"{place}: Host.CORSCredentials must be true or false")
    if not origins:
        return replace(_OWN_PAGES, credentials=credentials)
    try:
        return CorsPolicy.parse(origins, credentials=credentials)
    except ValueError as error:
        raise SettingsError(f"{name}: {error}") from error


def _port(file: JsonFile) -> int | None:
    value = _section(file, "Host").get("LocalHttpPort")
    name = f"{file.place('Host', 'LocalHttpPort')}: Host.LocalHttpPort"
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise SettingsError(f"{name} must be a number")
    return _valid_port(value, name)


def _valid_port(port: int, source: str) -> int:
    if not 0 <= port <= _LAST_PORT:
        raise SettingsError(f"{source} must be a number from 0 to {_LAST_PORT}, not {port}")
    return port


def _number(environ: Mapping[str, str], name: str, lowest: int, highest: int, default: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    # int() takes signs, underscores and other digits, and refuses thousands of digits.
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(highest))
    if not is_number or not lowest <= int(text) <= highest:
        raise SettingsError(f"{name} must be a number from {lowest} to {highest}, not '{text}'")
    return int(text)


def _text(value: object, name: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise SettingsError(f"{name} must be a string")


def _section(file: JsonFile, *path: str) -> Mapping[str, object]:
    """Return an object within the file, an empty one where it is not there."""
    section: Mapping[str, object] = file.root
    for depth, name in enumerate(path, 1):
        found = section.get(name)
        if found is None:
            return {}
        if not isinstance(found, dict):
            place = file.place(*path[:depth])
            raise SettingsError(f"{place}: {'.'.join(path[:depth])} must be an object")
        section = found
    return section
