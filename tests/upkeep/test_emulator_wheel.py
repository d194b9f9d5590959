"""The emulator's distributions have all that an installed emulator needs, and say what they are."""

import email
import email.message
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "emulator" / "src"
DATA = (
    "py.typed",
    "control/inspector.html",
    "control/inspector.js",
    "configuration/config.schema.json",
)


def built_wheel(source: Path, folder: Path) -> zipfile.ZipFile:
    """Build a wheel as pip does, with the build tool of this environment and no network."""
    command = "-m pip wheel --quiet --no-deps --no-build-isolation --no-index --wheel-dir"
    subprocess.run([sys.executable, *command.split(), str(folder), str(source)], check=True)
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return built_wheel(ROOT / "emulator", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def unpacked_sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the source distribution in the same way, and unpack it."""
    folder = tmp_path_factory.mktemp("sdist")
    command = [sys.executable, *["-m", "hatchling", "build", "--target", "sdist", "--directory"]]
    subprocess.run([*command, str(folder)], check=True, cwd=ROOT / "emulator", capture_output=True)
    (built,) = folder.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        archive.extractall(folder, filter="data")
    return folder / built.name.removesuffix(".tar.gz")


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> email.message.Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return email.message_from_bytes(wheel.read(name))


def files_of(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_every_file_of_the_package_is_in_it_and_no_other(wheel: zipfile.ZipFile) -> None:
    files = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert files == files_of(SOURCE)
    assert {f"signalr_emulator/{name}" for name in DATA} <= files


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
    unpacked_sdist: Path,
) -> None:
    # hatchling adds the .gitignore by which it chose the files.
    beside = {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml", ".gitignore"}
    documents = {f"docs/{name}" for name in files_of(ROOT / "emulator" / "docs")}
    sources = {f"src/{name}" for name in files_of(SOURCE)}
    assert files_of(unpacked_sdist) == beside | documents | sources


def test_the_wheel_of_the_source_distribution_is_that_of_the_repository(
    wheel: zipfile.ZipFile, unpacked_sdist: Path, tmp_path: Path
) -> None:
    again = built_wheel(unpacked_sdist, tmp_path)
    assert {name: again.read(name) for name in again.namelist()} == {
        name: wheel.read(name) for name in wheel.namelist()
    }
