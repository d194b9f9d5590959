"""Where the service is, and who asks: from options, the environment, or the app in this folder."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ..settings.environment import CONNECTION, ENDPOINTS, Settings
from .local_settings import DEFAULT_NAME, read_settings_file
from .running import running_apps

__all__ = ["SERVICE_URI", "default_hub", "read_environment"]

SERVICE_URI: Final = f"{CONNECTION}__serviceUri"
_OF_CONNECTIONS: Final = tuple(
    each.lower() for each in (CONNECTION, f"ConnectionStrings__{CONNECTION}", ENDPOINTS)
)
"""What the settings begin with that say where a service is."""

_DEFAULTS: Final = {"SIGNALR_CLIENT_TOKENS": "auto"}
"""Who may send by REST and not have an access key may listen all the same."""


def read_environment(
    endpoint: str | None, file: Path | None, process: Mapping[str, str]
) -> Mapping[str, str]:
    """Return the settings of the command, as in `os.environ`.

    Args:
        endpoint: Address of a service, which is asked with one's own login: of settings that say
            where another one is nothing is read.
        file: A settings file, or `None` for the app in this folder: as `make start` runs it, if it
            does and the environment names no service, else `local.settings.json` if there is one.
        process: The process environment, which goes before the file.

    Raises:
        SettingsFileError: The file cannot be used.
    """
    if endpoint is not None:
        others = {name: value for name, value in process.items() if not _is_of_connections(name)}
        return {**_DEFAULTS, **others, SERVICE_URI: endpoint}
    path = file or Path(DEFAULT_NAME)
    values = read_settings_file(path).values if file is not None or path.exists() else {}
    settings = {**_DEFAULTS, **values, **process}
    if file is None and not any(map(_is_of_connections, process)):
        for app in running_apps(Path())[:1]:
            settings |= app.settings
    return settings


def default_hub(environment: Mapping[str, str]) -> str:
    """Return the app's default hub.

    Raises:
        SettingsError: A setting is missing or wrong.
    """
    return Settings.from_environment(environment).hubs.default


def _is_of_connections(name: str) -> bool:
    # The Functions host reads ':' as '__'.
    return re.sub(":", "__", name.lower()).startswith(_OF_CONNECTIONS)
