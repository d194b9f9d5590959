"""Builds distributions as pip does, with the build tool of this environment and no network."""

import email
import email.message
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def build_wheel(source: Path, folder: Path) -> zipfile.ZipFile:
    """Build the wheel of a folder, or of a source distribution."""
    command = "-m pip wheel --quiet --no-deps --no-build-isolation --no-index --wheel-dir"
    subprocess.run([sys.executable, *command.split(), str(folder), str(source)], check=True)
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def build_sdist(source: Path, folder: Path) -> Path:
    command = "-m hatchling build --target sdist --directory"
    subprocess.run(
        [sys.executable, *command.split(), str(folder)], cwd=source, check=True, capture_output=True
    )
    (built,) = folder.glob("*.tar.gz")
    return built


def metadata_of(wheel: zipfile.ZipFile) -> email.message.Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return email.message_from_bytes(wheel.read(name))


def files_of(wheel: zipfile.ZipFile) -> set[str]:
    """Return the files of a wheel that are installed as they are."""
    return {name for name in wheel.namelist() if ".dist-info/" not in name}


def files_below(folder: Path) -> set[str]:
    """Return the files of a folder, by their paths inside it."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
