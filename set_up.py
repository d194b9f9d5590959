"""Sets up what everything here runs in: `.venv`, and the JavaScript packages of a folder.

    python set_up.py environment
    python set_up.py packages FOLDER

`make` calls it when something is missing or older than its lock. `python start.py` uses it where
there is no make, on Windows for instance. It needs no package itself.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

__all__ = ["PYTHON", "SetUpError", "set_up_demo", "set_up_environment"]

_ROOT: Final = Path(__file__).parent
_FOLDER: Final = _ROOT / ".venv"
_LOCK: Final = _ROOT / "requirements-dev.txt"
_MARK: Final = "ready"

PYTHON: Final = _FOLDER.joinpath(
    *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python"))
)
"""The interpreter of `.venv`."""


class SetUpError(Exception):
    """Something could not be set up; the message says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Set up what the command line names; return the exit status."""
    parser = argparse.ArgumentParser(prog="set_up.py", description=__doc__)
    parser.add_argument("what", choices=("environment", "packages"))
    parser.add_argument("folder", nargs="?", type=Path, help="folder of the package.json")
    options = parser.parse_args(arguments)
    try:
        if options.what == "environment":
            _make_environment()
        elif options.folder is None:
            parser.error("packages needs a folder")
        else:
            _install_packages(options.folder)
    except SetUpError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def set_up_environment() -> None:
    """Have `.venv` with the packages of the lock, unless it has them.

    Raises:
        SetUpError: It cannot be made.
    """
    if not _is_newer(_FOLDER / _MARK, _LOCK, _ROOT / "emulator" / "pyproject.toml"):
        _make_environment()


def set_up_demo() -> None:
    """Have the SignalR client of the demo page, unless it is there.

    Raises:
        SetUpError: It cannot be had.
    """
    demo = _ROOT / "demo"
    mark = demo / "node_modules" / _MARK
    if not _is_newer(mark, demo / "package.json", demo / "package-lock.json"):
        _install_packages(demo)
    client = demo / "signalr.js"
    if not _is_newer(client, mark):
        shutil.copyfile(demo / "node_modules/@microsoft/signalr/dist/browser/signalr.js", client)


def _is_newer(made: Path, *sources: Path) -> bool:
    try:
        since = made.stat().st_mtime
    except FileNotFoundError:
        return False
    return all(source.stat().st_mtime <= since for source in sources)


def _make_environment() -> None:
    packages = sum(line[:1].isalnum() for line in _LOCK.read_text(encoding="utf-8").splitlines())
    progress = _Progress("Setting up .venv (once, about a minute)")
    # What has left the lock must not stay.
    _run(sys.executable, "-m", "venv", "--clear", str(_FOLDER))
    pip = (str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check")
    collected = 0

    def count(line: str) -> None:
        nonlocal collected
        if line.startswith(("Collecting ", "Processing ")):
            collected += 1
            progress.show(f"{min(collected, packages)} of {packages} packages")
        elif line.startswith("Installing "):
            progress.show("installing")

    _run(*pip, "--progress-bar", "off", "--require-hashes", "-r", str(_LOCK), on_line=count)
    _run(*pip, "--quiet", "--no-deps", "--no-build-isolation", "-e", str(_ROOT / "emulator"))
    (_FOLDER / _MARK).touch()
    progress.end()


def _install_packages(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise SetUpError("Node.js with npm is needed for the real SignalR client")
    name = os.path.relpath(folder, _ROOT)
    progress = _Progress(f"Setting up the JavaScript packages of {name} (once)")
    _run(npm, "ci", "--no-audit", "--no-fund", cwd=folder)
    (folder / "node_modules" / _MARK).touch()
    progress.end()


class _Progress:
    """A line that says what takes long, and on a terminal how far it is."""

    def __init__(self, what: str) -> None:
        self._what = f"{what} ..."
        self._live = sys.stdout.isatty()
        print(self._what, end="" if self._live else "\n", flush=True)

    def show(self, how_far: str) -> None:
        """Say how far it is."""
        if self._live:
            # Spaces hide what is left of a longer line.
            print(f"\r{self._what} {how_far:<24}", end="", flush=True)

    def end(self) -> None:
        """Say that it is done."""
        if self._live:
            print(f"\r{self._what} {'done':<24}")


def _run(
    *command: str, cwd: Path | None = None, on_line: Callable[[str], None] | None = None
) -> None:
    """Run a command without a word.

    Args:
        command: What to run.
        cwd: Where.
        on_line: Called with each line that it says.

    Raises:
        SetUpError: It failed; the message is all that it said.
    """
    said = []
    with subprocess.Popen(  # noqa: S603  our own commands
        command,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            said.append(line)
            if on_line is not None:
                on_line(line)
    if process.returncode:
        raise SetUpError(f"\n{''.join(said)}\n{' '.join(command)} failed.")


if __name__ == "__main__":
    sys.exit(main())
