"""Writes the tables of docs/configuration.md from the settings that the app reads.

python -m docs.configuration
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import demo
from docs.page import with_tables
from shared.functions import OPENAPI_OFFERED
from shared.functions.negotiate import settings as negotiate
from shared.functions.upstream import settings as upstream
from shared.settings import environment
from shared.settings.connection import PARTS
from shared.settings.description import Setting
from shared.settings.transport_type import TRANSPORT_TYPE

__all__ = ["PAGE", "TABLES", "current"]

PAGE: Final = Path(__file__).with_suffix(".md")

TABLES: Final[Mapping[str, Iterable[Setting]]] = {
    "connection": PARTS.values(),
    "hubs": [
        each
        for each in environment.SETTINGS
        if each.name.startswith("SIGNALR_") or each is TRANSPORT_TYPE
    ],
    "negotiate": negotiate.SETTINGS,
    "upstream": upstream.SETTINGS,
    "pages": (demo.OFFERED, OPENAPI_OFFERED),
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
