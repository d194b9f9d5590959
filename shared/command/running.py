"""What `make start` runs at the moment in a folder, as it says itself there."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

__all__ = ["Running", "listens", "running_apps"]

_FOLDER: Final = Path(".venv", "running")
"""Where `doctor.running` writes it."""

_SERVICE: Final = "AzureSignalRConnectionString__serviceUri"


@dataclass(frozen=True, slots=True)
class Running:
    """An app on this machine, with its emulator.

    Args:
        app_url: Where its functions are, route prefix included.
        settings: The settings that it has beside those of its file and of the environment.
    """

    app_url: str
    settings: Mapping[str, str] = field(repr=False)


def running_apps(root: Path) -> list[Running]:
    """Return the apps of a folder that run, the latest one first.

    What a killed process has left behind does not answer, and does not count.

    Args:
        root: The folder of the apps.
    """
    found = filter(None, map(_read, (root / _FOLDER).glob("*.json")))
    latest_first = sorted(found, key=lambda each: each[0], reverse=True)
    return [app for _, app in latest_first if _answers(app)]


def _read(file: Path) -> tuple[float, Running] | None:
    """Return since when an app runs, in epoch seconds, and the app; `None` where nothing says it.

    It may end right now, or be of another version.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return file.stat().st_mtime, Running(content["appUrl"], dict(content["settings"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def listens(url: str) -> bool:
    """Tell whether something listens at an address."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=1):
            return True
    except OSError:
        return False


def _answers(app: Running) -> bool:
    # Both, since another program may have taken the port of one that was killed.
    return all(map(listens, (app.app_url, app.settings.get(_SERVICE, ""))))
