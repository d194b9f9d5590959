"""Files that outlive an emulator: each is made once, and is for its owner alone."""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from ..errors import StateFolderError

__all__ = ["kept"]


def kept[T](folder: Path, name: str, make: Callable[[], str], read: Callable[[str], T]) -> T:
    """Give what a file holds, and make folder and file if they are not there.

    Of several emulators that make a file at once, one succeeds; the others take what it has made.

    Args:
        folder: Where the file is.
        name: Its name.
        make: Makes the text of a new file.
        read: Gives what a text stands for; raises ValueError for one that is damaged.

    Raises:
        StateFolderError: Folder or file cannot be used, or others than the owner could read it.
    """
    path = folder / name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_owner(folder, folder.stat(), "700")
        text = _text(path)
        if text is None:
            _create(path, make())
            text = path.read_text("ascii")
        return read(text)
    except OSError as error:
        raise StateFolderError(f"cannot use {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise StateFolderError(f"{path} is damaged: remove it, and a new one is made") from error


def _text(path: Path) -> str | None:
    """Give the text of a file, or None if there is no such file."""
    try:
        with path.open(encoding="ascii") as file:
            # What was opened, whatever the path leads to by now.
            _check_owner(path, os.fstat(file.fileno()), "600")
            return file.read()
    except FileNotFoundError:
        return None


def _create(path: Path, text: str) -> None:
    """Make a file in one step, so that nobody reads half of it; one that is there stays."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
    finally:
        Path(temporary).unlink()


def _check_owner(path: Path, status: os.stat_result, mode: str) -> None:
    if sys.platform == "win32":
        # There a folder has the rights of the one above it, which is the user's profile.
        return
    if status.st_uid != os.geteuid():
        raise StateFolderError(f"{path} belongs to another user")
    if status.st_mode & 0o077:
        raise StateFolderError(f"{path} is open to other users: chmod {mode} {path}")
