"""What became of the checks, as docs/app-servers.json keeps it and docs/clients.md shows it."""

import json
from collections.abc import Mapping
from pathlib import Path

from .checks import CHECKS

__all__ = ["read", "tables", "write"]


def read(path: Path) -> Mapping[str, str]:
    """Return the words that a file keeps by check, which need not be there."""
    words: Mapping[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return words


def write(path: Path, words: Mapping[str, str]) -> None:
    """Keep the words of checks."""
    path.write_text(json.dumps(words, indent=1) + "\n")


def tables(words: Mapping[str, str]) -> Mapping[str, str]:
    """Return the table of the page, in Markdown, by its name there."""
    rows = [f"| {each.name} | {words.get(each.name, 'not tried')} |" for each in CHECKS]
    return {"app_servers": "\n".join(["| what | seen |", "|---|---|", *rows])}
