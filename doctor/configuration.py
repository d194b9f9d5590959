"""The settings as the app would read them, and what of them is worth a look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from funchost.settings import HostSettings, load_host_settings
from funchost.settings import SettingsError as HostSettingsError
from shared.command.local_settings import DEFAULT_NAME, SettingsFileError, read_settings_file
from shared.command.running import Running, listens, running_apps
from shared.errors import SettingsError, UnknownHubError
from shared.functions.misspelt_settings import misspelt_settings
from shared.functions.negotiate.settings import Identity, NegotiateSettings
from shared.settings.endpoint import EndpointType, is_loopback
from shared.settings.environment import ENDPOINTS, SETTINGS, Settings

from .finding import Diagnosis, Finding

__all__ = [
    "Configuration",
    "check_hub",
    "describe",
    "read_configuration",
    "why_refresh_is_off",
]

_LIKENESS: Final = 0.85
"""From 0 to 1: above it a name is taken for another one's misspelling."""

_EXAMPLE: Final = "doctor"
"""What stands in for the star of a pattern of hubs."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is checked.

    Args:
        environment: Names and values: those of the process go before those of the file.
        source: Where they come from, for people.
        base_path: What the paths of the app's functions begin with: `/api`, or "".
        app_url: Where the app runs on this machine, or "" if it does not.
    """

    environment: Mapping[str, str]
    source: str
    base_path: str
    app_url: str = ""


def read_configuration(
    path: Path | None, process: Mapping[str, str], app_url: str = ""
) -> Configuration:
    """Read what runs here, or the file of settings, if there is one, and the `host.json` beside it.

    Args:
        path: The file, or `None` for what `make start` runs, else `local.settings.json` if that
            exists.
        process: The process environment.
        app_url: Where the app is that is meant, or "" for the latest one that runs here.

    Raises:
        SettingsFileError: A file cannot be used.
    """
    default = Path(DEFAULT_NAME)
    base_path = _base_path((path or default).parent)
    if path is None:
        values = read_settings_file(default).values if default.exists() else {}
        apps = _running(app_url)
        if apps:
            environment = {**values, **process, **apps[0].settings}
            return Configuration(environment, _said(apps), base_path, apps[0].app_url)
        if not default.exists():
            return Configuration(dict(process), "the environment", base_path)
    path = path or default
    file = read_settings_file(path)
    local = f"http://127.0.0.1:{file.port}"
    return Configuration(
        {**file.values, **process},
        f"{path} and the environment",
        base_path,
        local if path.name == DEFAULT_NAME and listens(local) else "",
    )


def describe(settings: Settings, configuration: Configuration) -> Finding:
    """Say what the settings are, and warn of names that look like misspelt ones."""
    endpoints = [each.endpoint for each in settings.endpoints]
    secondary = sum(each.type is EndpointType.SECONDARY for each in endpoints)
    count = f"{len(endpoints)} endpoint{'s' if len(endpoints) > 1 else ''}"
    of_them = f" ({secondary} secondary)" if secondary else ""
    hubs = list(settings.hubs.listed)
    misspelt = _misspelt(configuration.environment)
    application = f" of the application {settings.application}" if settings.application else ""
    summary = f"{configuration.source}: {count}{of_them}, hubs {', '.join(hubs)}{application}"
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
    hubs = settings.hubs
    # No hub of a pattern has to be there: one that nobody uses is as good as any.
    usual = hubs.default or hubs.patterns[0].replace("*", _EXAMPLE)
    try:
        hub = usual if name is None else hubs.find(name)
    except UnknownHubError:
        wanted = ",".join([*hubs.listed, (name or "").lower()])
        diagnosis = Diagnosis(
            f"{name} is not in SIGNALR_HUBS; the steps below use {usual}",
            f"Add it: SIGNALR_HUBS={wanted}",
        )
        return usual, Finding.failed(diagnosis)
    if hub == hubs.default:
        return hub, Finding.ok(f"{hub} (the default hub)", hub=hub)
    if name is None:
        reason = f"one of {hubs.patterns[0]}, since there is no default hub; --hub names another"
        return hub, Finding.ok(f"{hub} ({reason})", hub=hub)
    return hub, Finding.ok(hub, hub=hub)


def why_refresh_is_off(environment: Mapping[str, str]) -> str:
    """Return why clients of the app renew no sign-ins, or "" if they may.

    Settings of negotiate that do not tell, since those of the app are in Azure, count as its
    defaults do where callers prove who they are.

    Args:
        environment: Names and values, as in `os.environ`.
    """
    try:
        negotiation = NegotiateSettings.from_environment(environment)
    except SettingsError:
        return ""
    if negotiation.is_renewing:
        return ""
    if negotiation.identities == (Identity.ANONYMOUS,):
        return "callers prove no identity that they could renew (NEGOTIATE_IDENTITY)"
    return "clients renew no sign-ins (NEGOTIATE_REFRESH)"


def _running(app_url: str) -> Sequence[Running]:
    """Return the apps that `make start` runs here, or the one at an address."""
    apps = running_apps(Path())
    if not app_url:
        return apps
    port = urlsplit(app_url).port if is_loopback(app_url) else None
    return [each for each in apps if urlsplit(each.app_url).port == port]


def _said(apps: Sequence[Running]) -> str:
    chosen, *others = (each.app_url for each in apps)
    also = f" (also running, see --app-url: {', '.join(others)})" if others else ""
    return f"make start at {chosen}{also}"


def _base_path(folder: Path) -> str:
    if not (folder / "host.json").exists():
        return HostSettings().base_path
    try:
        return load_host_settings(folder).base_path
    except HostSettingsError as error:
        fix = 'Mend it; {"version": "2.0"} is enough, and means the route prefix api'
        raise SettingsFileError(str(error), fix) from None


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
    return {**found, **misspelt_settings(environment)}
