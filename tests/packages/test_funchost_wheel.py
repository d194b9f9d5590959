"""The local host's distribution has all that an installed host needs, and says what it is."""

import ast
import email.message
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packages.wheels import (
    ROOT,
    build_sdist,
    build_wheel,
    files_below,
    files_of,
    metadata_of,
)

FOLDER = ROOT / "funchost"
# What a distribution is made with, and no part of the package.
AROUND = {"LICENSE", "README.md", "pyproject.toml"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return build_wheel(FOLDER, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> email.message.Message:
    return metadata_of(wheel)


def test_every_file_of_the_package_is_in_it_and_no_other(wheel: zipfile.ZipFile) -> None:
    package = {f"funchost/{name}" for name in files_below(FOLDER) - AROUND}
    files = files_of(wheel)
    assert files == package
    assert {"funchost/py.typed", "funchost/authentication/sign_in.html"} <= files


def test_the_source_distribution_builds_the_same_wheel(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    sdist = build_sdist(FOLDER, tmp_path)
    again = build_wheel(sdist, tmp_path)
    assert again.namelist() == wheel.namelist()
    assert [each.CRC for each in again.infolist()] == [each.CRC for each in wheel.infolist()]


def test_it_brings_the_licence_of_the_repository(
    wheel: zipfile.ZipFile, metadata: email.message.Message
) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("/LICENSE"))
    assert wheel.read(name) == (ROOT / "LICENSE").read_bytes()
    assert metadata["License-Expression"] == "MIT"
    assert metadata["License-File"] == "LICENSE"


def test_it_says_what_it_is(metadata: email.message.Message) -> None:
    assert metadata["Name"] == "local-functions-host"
    assert metadata["Requires-Python"] == ">=3.13"
    assert metadata["Summary"]
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert str(metadata.get_payload()).startswith("# local-functions-host")
    assert "Typing :: Typed" in (metadata.get_all("Classifier") or [])


def test_each_dependency_has_a_lower_bound_and_no_upper_one(
    metadata: email.message.Message,
) -> None:
    needed = metadata.get_all("Requires-Dist") or []
    assert needed
    assert [each for each in needed if ">=" not in each or "<" in each or "==" in each] == []


def test_what_it_imports_and_what_it_depends_on_are_the_same(
    wheel: zipfile.ZipFile, metadata: email.message.Message
) -> None:
    imported = {
        module.partition(".")[0]
        for name in wheel.namelist()
        if name.endswith(".py")
        for module in imports(wheel.read(name).decode())
    }
    providers = packages_distributions()
    used = {
        canonicalize_name(distribution)
        for module in imported - sys.stdlib_module_names
        for distribution in providers[module]
    }
    needed = metadata.get_all("Requires-Dist") or []
    assert used == {canonicalize_name(Requirement(each).name) for each in needed}


def imports(source: str) -> Iterator[str]:
    """Yield the modules that absolute imports name."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module


def test_the_command_is_there_and_tells_the_version_of_the_distribution(
    wheel: zipfile.ZipFile, metadata: email.message.Message
) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("/entry_points.txt"))
    assert "funchost = funchost.__main__:main" in wheel.read(name).decode()
    told = subprocess.run(
        [sys.executable, "-m", "funchost", "--version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == f"funchost {metadata['Version']}\n"
