"""The emulator's distributions have all that an installed emulator needs, and say what they are."""

import email.message
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.packages.wheels import (
    ROOT,
    build_sdist,
    build_wheel,
    files_below,
    files_of,
    metadata_of,
)

SOURCE = ROOT / "emulator" / "src"
DATA = (
    "py.typed",
    "inspector/inspector.html",
    "inspector/inspector.css",
    "inspector/inspector.js",
    "inspector/act.js",
    "inspector/elements.js",
    "inspector/timeline.js",
    "configuration/config.schema.json",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return build_wheel(ROOT / "emulator", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> email.message.Message:
    return metadata_of(wheel)


def test_every_file_of_the_package_is_in_it_and_no_other(wheel: zipfile.ZipFile) -> None:
    assert files_of(wheel) == files_below(SOURCE)
    assert {f"signalr_emulator/{name}" for name in DATA} <= files_of(wheel)


def test_it_brings_the_licence_of_the_repository(
    wheel: zipfile.ZipFile, metadata: email.message.Message
) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("/LICENSE"))
    assert wheel.read(name) == (ROOT / "LICENSE").read_bytes()
    assert metadata["License-Expression"] == "MIT"
    assert metadata["License-File"] == "LICENSE"


def test_it_says_what_it_is(metadata: email.message.Message) -> None:
    assert metadata["Name"] == "signalr-emulator"
    assert metadata["Requires-Python"] == ">=3.12"
    assert metadata["Summary"]
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert str(metadata.get_payload()).startswith("# signalr-emulator")
    assert "Typing :: Typed" in (metadata.get_all("Classifier") or [])


def test_each_dependency_has_a_lower_bound_and_no_upper_one(
    metadata: email.message.Message,
) -> None:
    needed = metadata.get_all("Requires-Dist") or []
    assert needed
    assert [each for each in needed if ">=" not in each or "<" in each or "==" in each] == []


def test_the_command_is_there(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("/entry_points.txt"))
    assert "signalr-emulator = signalr_emulator.cli:main" in wheel.read(name).decode()


def test_the_source_distribution_has_what_a_wheel_is_built_from_and_no_more(
    tmp_path: Path,
) -> None:
    built = build_sdist(ROOT / "emulator", tmp_path)
    with tarfile.open(built) as archive:
        archive.extractall(tmp_path, filter="data")
    # hatchling adds the .gitignore by which it chose the files.
    beside = {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml", ".gitignore"}
    documents = {f"docs/{name}" for name in files_below(ROOT / "emulator" / "docs")}
    sources = {f"src/{name}" for name in files_below(SOURCE)}
    unpacked = tmp_path / built.name.removesuffix(".tar.gz")
    assert files_below(unpacked) == beside | documents | sources
