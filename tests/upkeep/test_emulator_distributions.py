"""The emulator's distribution has all that an installed emulator needs, and says what it is."""

import email
import email.message
import subprocess
import sys
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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Build the wheel as pip does, with the build tool of this environment and no network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = "-m pip wheel --quiet --no-deps --no-build-isolation --no-index --wheel-dir"
    subprocess.run(
        [sys.executable, *command.split(), str(folder), str(ROOT / "emulator")], check=True
    )
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> email.message.Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return email.message_from_bytes(wheel.read(name))


def test_every_file_of_the_package_is_in_it_and_no_other(wheel: zipfile.ZipFile) -> None:
    package = {
        path.relative_to(SOURCE).as_posix()
        for path in (SOURCE / "signalr_emulator").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    files = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert files == package
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
    assert metadata["Requires-Python"] == ">=3.13"
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
