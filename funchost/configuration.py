"""What an app runs with: what options, environment and the app's files say at one time."""

import os
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .options import Options
from .server.keys import FunctionKeys
from .settings import (
    SETTINGS_FILE,
    HostSettings,
    LocalSettings,
    apply_values,
    choose_body_limit,
    choose_worker_count,
    load_host_settings,
    load_local_settings,
)

__all__ = [
    "AUTH_ENABLED",
    "Configuration",
    "configure",
    "own_environment",
    "set_host_variables",
    "settings_file",
]

AUTH_ENABLED: Final = "WEBSITE_AUTH_ENABLED"


@dataclass(frozen=True, slots=True)
class Configuration:
    """What one load of an app runs with.

    Args:
        environ: The environment of the functions.
        settings: What `host.json` says.
        local: What the settings file says.
        unused: Names of values of that file that the environment has already.
        body_limit: Length of the longest body of a request, in bytes.
        worker_count: How many processes run the functions.
        keys: Open the functions, where keys are asked for.
    """

    environ: MutableMapping[str, str] = field(repr=False)
    settings: HostSettings
    local: LocalSettings = field(repr=False)
    unused: frozenset[str]
    body_limit: int
    worker_count: int
    keys: FunctionKeys | None


def own_environment(options: Options) -> MutableMapping[str, str]:
    """Return where the values of the settings file go: no further than they must.

    What a newer settings file has no more must be gone from the next load of the app.
    """
    environ = dict(os.environ) if options.reload else os.environ
    environ.update(options.values)
    return environ


def configure(options: Options, environ: MutableMapping[str, str]) -> Configuration:
    """Read the app's files, and put their values into an environment.

    Args:
        options: What the command line says.
        environ: The environment; the keys of the host leave it.

    Raises:
        SettingsError: A file or a variable is wrong.
    """
    settings = load_host_settings(options.app_dir)
    local = load_local_settings(settings_file(options), required=options.settings is not None)
    unused = apply_values(local.values, environ)
    return Configuration(
        environ,
        settings,
        local,
        frozenset(unused),
        choose_body_limit(environ),
        choose_worker_count(environ),
        FunctionKeys.from_environment(environ) if options.keys else None,
    )


def settings_file(options: Options) -> Path:
    """Return the path of the settings file, which need not exist."""
    return options.settings or options.app_dir / SETTINGS_FILE


def set_host_variables(environ: MutableMapping[str, str], base_url: str, *, auth: bool) -> None:
    """Set what Core Tools and App Service tell an app about where it runs.

    Args:
        environ: The environment.
        base_url: Where the host listens.
        auth: Whether it authenticates, which App Service says whatever the app's settings say.
    """
    environ.setdefault("FUNCTIONS_WORKER_RUNTIME", "python")
    environ.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
    environ.setdefault("WEBSITE_HOSTNAME", base_url.removeprefix("http://"))
    if auth:
        environ[AUTH_ENABLED] = "True"
