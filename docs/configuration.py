"""Writes the tables of docs/configuration.md from the settings that the app reads.

python -m docs.configuration
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import demo
import negotiate.settings
import openapi
import shared.settings
import upstream.settings
from docs.page import with_tables
from shared.connection import PARTS
from shared.setting import Setting

__all__ = ["PAGE", "TABLES", "current"]

PAGE: Final = Path(__file__).with_suffix(".md")

TABLES: Final[Mapping[str, Iterable[Setting]]] = {
    "connection": PARTS.values(),
    "hubs": [each for each in shared.settings.SETTINGS if each.name.startswith("SIGNALR_")],
    "negotiate": negotiate.settings.SETTINGS,
    "upstream": upstream.settings.SETTINGS,
    "pages": (demo.OFFERED, openapi.OFFERED),
}
"""The settings of each table, by its name in the page."""


def current(page: str) -> str:
    """Return the page with tables that say what the app reads now."""
    return with_tables(page, {name: _table(settings) for name, settings in TABLES.items()})


def _table(settings: Iterable[Setting]) -> str:
    rows = ["| setting | meaning | default | example |", "|---|---|---|---|"]
    rows += [
        f"| `{each.name}` | {each.meaning} | {each.default} | `{each.example}` |"
        for each in settings
    ]
    return "\n".join(rows)


if __name__ == "__main__":
    PAGE.write_text(current(PAGE.read_text()))
