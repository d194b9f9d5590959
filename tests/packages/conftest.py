"""An environment with the distributions of this repository, installed by file, and no checkout.

What they need comes from the environment of the tests, file by file: that of their own metadata and
nothing else, so that a dependency which nobody declares is missing.
"""

import os
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from load.processes import ROOT

FOLDERS = ("shared", "emulator", "funchost")
INSTALLED = (
    "keyless-signalr[command,functions]",
    "signalr-emulator",
    "local-functions-host",
)
FRAMEWORKS = ("fastapi", "uvicorn", "django", "pytest")
"""For the pages about them."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment.

    Args:
        python: Its interpreter.
    """

    python: Path

    def run(
        self,
        *arguments: str,
        folder: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> str:
        """Run Python in it and return what it prints."""
        ended = subprocess.run(
            [self.python, *arguments],
            cwd=folder or self.python.parent,
            env=clean_environment() if settings is None else settings,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout


def clean_environment(**settings: str) -> dict[str, str]:
    """Return environment variables in which nothing leads to the checkout."""
    left_out = ("PYTHONPATH", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if name not in left_out} | settings


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with all wheels and sdists, as `make dist` builds them."""
    folder = tmp_path_factory.mktemp("dist")
    for name in FOLDERS:
        command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
        subprocess.run(command, cwd=ROOT / name, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def environment(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with every wheel, and what the wheels need."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    wheels = [str(each) for each in sorted(dist.glob("*.whl"))]
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", f"--python={python}", "install", "--quiet"),
            *("--no-deps", "--no-index", *wheels),
        ],
        check=True,
    )
    (packages,) = folder.glob("lib/python*/site-packages")
    ours = {each.partition("[")[0]: packages for each in INSTALLED}
    for found in needed((*INSTALLED, *FRAMEWORKS), ours):
        link(found, packages)
    return Environment(python)


def needed(names: tuple[str, ...], ours: Mapping[str, Path]) -> Iterator[Distribution]:
    """Give what distributions need, and what that needs.

    Args:
        names: Names of distributions, perhaps with extras.
        ours: Where distributions are installed that are there already.
    """
    seen: set[str] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        wanted = waiting.pop()
        if str(wanted) in seen:
            continue
        seen.add(str(wanted))
        is_ours = wanted.name in ours
        found = (
            next(iter(Distribution.discover(name=wanted.name, path=[str(ours[wanted.name])])))
            if is_ours
            else distribution(wanted.name)
        )
        extras = wanted.extras or {""}
        for text in found.requires or ():
            requirement = Requirement(text)
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
                requirement.marker = None
                waiting.append(requirement)
        if not is_ours:
            assert found.version in wanted.specifier, f"{wanted} and {found.version}"
            yield found


def link(found: Distribution, packages: Path) -> None:
    """Put the files of a distribution into a folder of packages, by links."""
    for file in found.files or ():
        if ".." in file.parts:
            continue
        target = packages / file
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            target.symlink_to(str(found.locate_file(file)))
