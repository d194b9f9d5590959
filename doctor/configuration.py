"""The settings as the app would read them, and what of them is worth a look."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from shared.errors import UnknownHubError
from shared.settings.endpoint import EndpointType
from shared.settings.environment import ENDPOINTS, SETTINGS, Settings

from .finding import Diagnosis, Finding
from .settings_file import DEFAULT_NAME, read_settings_file

__all__ = ["Configuration", "check_hub", "describe", "read_configuration"]

_LIKENESS: Final = 0.85
"""From 0 to 1: above it a name is taken for another one's misspelling."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is checked.

    Args:
        environment: Names and values: those of the process go before those of the file.
        source: Where they come from, for people.
        app_url: Where the app runs on this machine, or "" if it does not.
    """

    environment: Mapping[str, str]
    source: str
    app_url: str = ""


def read_configuration(path: Path | None, process: Mapping[str, str]) -> Configuration:
    """Read the file of settings, if there is one.

    Args:
        path: The file, or `None` for `local.settings.json` if that exists.
        process: The process environment.

    Raises:
        SettingsFileError: The file cannot be used.
    """
    default = Path(DEFAULT_NAME)
    if path is None and not default.exists():
        return Configuration(dict(process), "the environment")
    path = path or default
    file = read_settings_file(path)
    local = f"http://127.0.0.1:{file.port}"
    return Configuration(
        {**file.values, **process},
        f"{path} and the environment",
        local if path.name == DEFAULT_NAME and _listens(file.port) else "",
    )


def describe(settings: Settings, configuration: Configuration) -> Finding:
    """Say what the settings are, and warn of names that look like misspelt ones."""
    endpoints = [each.endpoint for each in settings.endpoints]
    secondary = sum(each.type is EndpointType.SECONDARY for each in endpoints)
    count = f"{len(endpoints)} endpoint{'s' if len(endpoints) > 1 else ''}"
    of_them = f" ({secondary} secondary)" if secondary else ""
    hubs = sorted(settings.hubs.names)
    misspelt = _misspelt(configuration.environment)
    summary = f"{configuration.source}: {count}{of_them}, hubs {', '.join(hubs)}"
    if misspelt:
        return Finding.warning(
            f"{summary}; not read: {', '.join(misspelt)}",
            "\n".join(f"Is {name} meant to be {known}?" for name, known in misspelt.items()),
            hubs=hubs,
            endpoints=[each.name for each in endpoints],
        )
    return Finding.ok(
        summary,
        hubs=hubs,
        endpoints=[each.name for each in endpoints],
        clientTokens=settings.token_origin.value,
    )


def check_hub(settings: Settings, name: str | None) -> tuple[str, Finding]:
    """Return the hub that is checked, and whether the app serves the one that was asked for.

    Args:
        settings: The settings.
        name: The hub's name, or `None` for the default hub.
    """
    try:
        hub = settings.hubs.find(name)
    except UnknownHubError:
        wanted = ",".join([*sorted(settings.hubs.names), (name or "").lower()])
        diagnosis = Diagnosis(
            f"{name} is not in SIGNALR_HUBS; the steps below use {settings.hubs.default}",
            f"Add it: SIGNALR_HUBS={wanted}",
        )
        return settings.hubs.default, Finding.failed(diagnosis)
    default = " (the default hub)" if hub == settings.hubs.default else ""
    return hub, Finding.ok(f"{hub}{default}", hub=hub)


def _misspelt(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return names that look like those of settings, with the settings' names."""
    known = {each.name.lower(): each.name for each in SETTINGS}
    found = {}
    for name in environment:
        plain = name.lower().replace(":", "__")
        if plain in known or plain.startswith(ENDPOINTS.lower()):
            continue
        alike = get_close_matches(plain, known, n=1, cutoff=_LIKENESS)
        if alike:
            found[name] = known[alike[0]]
    return found


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
