"""JavaScript: @microsoft/signalr, and @aspnet/signalr before it, in Node."""

import json
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from ..library import CLIENTS, Language, Library, Protocol, Transport, combinations

__all__ = ["AGENT", "JAVASCRIPT"]

AGENT: Final = CLIENTS / "javascript" / "agent.mjs"

_VERSIONS: Final = (
    ("@microsoft", "10.0.11", "10.0.11"),
    ("@microsoft", "9.0.19", "9.0.6"),
    ("@microsoft", "8.0.29", "8.0.29"),
    ("@microsoft", "7.0.14", "7.0.14"),
    ("@microsoft", "6.0.25", "6.0.25"),
    ("@microsoft", "5.0.17", "5.0.17"),
    ("@microsoft", "3.1.31", "3.1.14"),
    ("@microsoft", "3.0.3", "3.0.0"),
    ("@aspnet", "1.1.4", "1.1.0"),
)
"""Scope, version of the client, version of its MessagePack: the last of each line."""

_CANNOT: Final = {
    "reconnect": "stays closed when its connection breaks; reconnecting came with 3.0",
    "results": "answers nothing when the app invokes it; client results came with 7.0",
}


def _prepare(scope: str, version: str, messagepack: str, folder: Path) -> Sequence[str]:
    manifest = folder / "package.json"
    ready = folder / "ready"
    if not ready.exists():
        packages = {f"{scope}/signalr": version, f"{scope}/signalr-protocol-msgpack": messagepack}
        manifest.write_text(json.dumps({"private": True, "dependencies": packages}))
        subprocess.run(
            ["npm", "install", "--loglevel=error", "--no-audit", "--no-fund", "--legacy-peer-deps"],  # noqa: S607
            cwd=folder,
            check=True,
            capture_output=True,
        )
        ready.touch()
    return ["node", str(AGENT), str(folder), scope]


def _library(scope: str, version: str, messagepack: str) -> Library:
    return Library(
        f"{scope}/signalr",
        version,
        combinations(*Transport, protocols=tuple(Protocol)),
        partial(_prepare, scope, version, messagepack),
        _CANNOT,
    )


JAVASCRIPT: Final = Language("javascript", ("node", "npm"), [_library(*each) for each in _VERSIONS])
