"""Java: com.microsoft.signalr, which Android apps use too."""

import os
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from ..library import CLIENTS, Language, Library, Protocol, Transport, combinations

__all__ = ["JAVA"]

_PROJECT: Final = CLIENTS / "java" / "pom.xml"
_NAME: Final = "com.microsoft.signalr"
_VERSIONS: Final = ("9.0.3", "8.0.6", "7.0.4")
_CANNOT: Final = {
    "reconnect": "stays closed when its connection breaks; its program has to start it again"
}


def _prepare(version: str, folder: Path) -> Sequence[str]:
    libraries = folder / "libraries"
    ready = folder / "ready"
    # Its sources may be newer than what was built of them.
    if not ready.exists() or ready.stat().st_mtime < _newest_source():
        subprocess.run(  # noqa: S603  our own command
            [
                *("mvn", "--quiet", "--batch-mode", "--file", str(_PROJECT), "process-classes"),
                *(f"-Dsignalr.version={version}", f"-Dagent.folder={folder}"),
            ],
            check=True,
            capture_output=True,
        )
        ready.touch()
    path = os.pathsep.join((str(folder / "classes"), str(libraries / "*")))
    return ["java", "-cp", path, "Agent"]


def _newest_source() -> float:
    return max(each.stat().st_mtime for each in _PROJECT.parent.rglob("*") if each.is_file())


JAVA: Final = Language(
    "java",
    ("java", "mvn"),
    [
        Library(
            _NAME,
            version,
            combinations(Transport.WEBSOCKETS, Transport.LONG_POLLING, protocols=[Protocol.JSON]),
            partial(_prepare, version),
            _CANNOT,
        )
        for version in _VERSIONS
    ],
)
