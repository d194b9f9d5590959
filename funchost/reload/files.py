"""The files of an app on disk: which they are, and whether they have changed.

They are looked at again and again, since that works the same on every system and on network
mounts, needs no package, and takes a thousandth of a second or two for some hundred files.
"""

import asyncio
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from fnmatch import translate
from importlib.util import cache_from_source
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Watch", "forget_bytecode"]

_PERIOD_SECONDS: Final = 0.3
# Between two looks that find the same: an editor writes one file and renames it, and a checkout
# writes many.
_REST_SECONDS: Final = 0.1
_SUFFIX: Final = ".py"
_IGNORED: Final = (".*", "__pycache__", "node_modules", "tests", "venv")
_IGNORE_FILE: Final = ".funcignore"


class _Stamp(NamedTuple):
    """What of a file is another one when it has been saved."""

    modified: int
    size: int
    # Renamed into place, it may be of the same time and size.
    number: int


class Watch:
    """Tells when files of an app change: its modules, and others by name.

    Of folders it leaves out what begins with a dot, installed packages, tests, and what
    `.funcignore` names by a line that ends with a slash: it is not deployed, so no part of the app.

    Args:
        app_dir: The app's folder.
        others: Files beside its modules, which need not exist.
    """

    def __init__(self, app_dir: Path, others: Collection[Path]) -> None:
        self._app_dir = str(app_dir)
        self._others = list(map(str, others))
        self._ignored = re.compile("|".join(map(translate, [*_IGNORED, *_not_deployed(app_dir)])))
        self._seen = self._look()

    async def changed(self) -> Sequence[Path]:
        """Wait until files are others than they were the last time, and have come to rest.

        Returns:
            Those that are new, gone or changed.
        """
        while True:
            found = await asyncio.to_thread(self._look)
            if found != self._seen:
                break
            await asyncio.sleep(_PERIOD_SECONDS)
        settled: Mapping[str, _Stamp] = {}
        while found != settled:
            settled = found
            await asyncio.sleep(_REST_SECONDS)
            found = await asyncio.to_thread(self._look)
        before, self._seen = self._seen, found
        paths = before.keys() | found.keys()
        return sorted(Path(path) for path in paths if before.get(path) != found.get(path))

    def _look(self) -> Mapping[str, _Stamp]:
        stamps = dict(_modules(self._app_dir, self._ignored))
        for path in self._others:
            with suppress(OSError):
                stamps[path] = _stamp(os.stat(path))  # noqa: PTH116  a Path takes as long again
        return stamps


def forget_bytecode(paths: Collection[Path]) -> None:
    """Remove what Python has compiled from modules that have changed.

    It takes a cached file for right whose source has the same size and was written in the same
    second (PEP 3147, 552), and two saves in one second are not rare.
    """
    for path in paths:
        if path.suffix == _SUFFIX:
            with suppress(OSError, NotImplementedError):
                Path(cache_from_source(str(path))).unlink(missing_ok=True)


def _modules(folder: str, ignored: re.Pattern[str]) -> Iterator[tuple[str, _Stamp]]:
    with suppress(OSError), os.scandir(folder) as entries:  # one that is gone meanwhile has none
        for entry in entries:
            if entry.name.endswith(_SUFFIX):
                with suppress(OSError):
                    yield entry.path, _stamp(entry.stat())
            elif entry.is_dir(follow_symlinks=False) and not ignored.match(entry.name):
                yield from _modules(entry.path, ignored)


def _not_deployed(app_dir: Path) -> Iterator[str]:
    try:
        lines = (app_dir / _IGNORE_FILE).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in map(str.strip, lines):
        name = line.removesuffix("/").removeprefix("/")
        if line.endswith("/") and "/" not in name and not line.startswith(("#", "!")):
            yield name


def _stamp(status: os.stat_result) -> _Stamp:
    return _Stamp(status.st_mtime_ns, status.st_size, status.st_ino)
