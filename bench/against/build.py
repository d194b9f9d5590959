"""The two builds that are compared: this checkout, and another commit in a second worktree."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["PRESENT", "Build", "UnknownCommitError", "other_build", "resolve"]

_ROOT: Final = Path(__file__).resolve().parents[2]


class UnknownCommitError(Exception):
    """There is no such commit here; the message says so."""


@dataclass(frozen=True, slots=True)
class Build:
    """The sources of one commit, with the packages of the environment that runs this program.

    Args:
        name: What the tables call it.
        root: Folder of its sources.
    """

    name: str
    root: Path

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a process that finds the sources of this build.

        Args:
            settings: More variables.
        """
        # Before the environment's own packages, where the emulator of the present build is
        # installed as it stands in its folder.
        sources = (self.root, self.root / "emulator/src")
        return {
            **os.environ,
            # Bytecode is written in the first turn, which does not count, and at hand in the rest.
            "PYTHONDONTWRITEBYTECODE": "",
            **settings,
            "PYTHONPATH": os.pathsep.join(map(str, sources)),
        }


PRESENT: Final = Build("present", _ROOT)
"""This checkout as it stands, with what is not committed."""


def resolve(commit: str) -> str:
    """Return the short name of a commit.

    Args:
        commit: Any name that git knows it by.

    Raises:
        UnknownCommitError: Git knows none of this name.
    """
    revision = ("--verify", "--quiet", "--short", "--end-of-options", f"{commit}^{{commit}}")
    found = _git("rev-parse", *revision)
    if found.returncode:
        said = found.stderr.strip()
        raise UnknownCommitError(said or f"there is no commit {commit!r} in this repository")
    return found.stdout.split()[-1]


@contextmanager
def other_build(commit: str) -> Iterator[Build]:
    """Have the sources of a commit in a worktree of its own until the end of the block.

    Args:
        commit: Its name, as `resolve` gives it.

    Raises:
        UnknownCommitError: Git cannot check it out; the message is what it said.
    """
    # Beside the present sources, since another file system may be faster or slower.
    with tempfile.TemporaryDirectory(prefix=".against-", dir=_ROOT) as folder:
        root = Path(folder, commit)
        try:
            added = _git("worktree", "add", "--detach", "--quiet", str(root), commit)
            if added.returncode:
                raise UnknownCommitError(added.stderr.strip())
            yield Build(commit, root)
        finally:
            _git("worktree", "remove", "--force", str(root))


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own command
        ["git", *arguments],  # noqa: S607  the one that people have
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
