"""Python: pysignalr and signalrcore."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from ..library import Combination, Language, Library, Protocol, Transport, combinations

__all__ = ["PYTHON"]

_BOTH: Final = tuple(Protocol)


def _prepare(name: str, version: str, folder: Path) -> Sequence[str]:
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = folder / "ready"
    if not ready.exists():
        uv = (sys.executable, "-m", "uv")
        for command in (
            (*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)),
            (*uv, "pip", "install", "--quiet", "--python", str(python), f"{name}=={version}"),
        ):
            subprocess.run(  # noqa: S603  our own commands
                command, check=True, capture_output=True
            )
        ready.touch()
    return [str(python), "-m", f"interop.clients.python.{name}"]


def _library(
    name: str, version: str, spoken: Sequence[Combination], cannot: Mapping[str, str]
) -> Library:
    return Library(name, version, spoken, partial(_prepare, name, version), cannot)


PYTHON: Final = Language(
    "python",
    (),
    [
        _library("pysignalr", "1.3.3", combinations(Transport.WEBSOCKETS, protocols=_BOTH), {}),
        _library(
            "signalrcore",
            "1.0.2",
            combinations(Transport.WEBSOCKETS, protocols=_BOTH),
            {"results": "throws away what handlers return, so that who invokes them waits in vain"},
        ),
    ],
)
