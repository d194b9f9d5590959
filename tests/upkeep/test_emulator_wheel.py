"""The emulator's distribution has all that an installed emulator needs, and says what it is."""

import email.message
import zipfile

import pytest

from tests.upkeep.wheels import ROOT, build_wheel, files_below, files_of, metadata_of

SOURCE = ROOT / "emulator" / "src"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return build_wheel(ROOT / "emulator", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> email.message.Message:
    return metadata_of(wheel)


def test_every_file_of_the_package_is_in_it_and_no_other(wheel: zipfile.ZipFile) -> None:
    package = {f"signalr_emulator/{name}" for name in files_below(SOURCE / "signalr_emulator")}
    files = files_of(wheel)
    assert files == package
    endings = ("py.typed", "inspector.html", "inspector.js", "config.schema.json")
    assert {f"signalr_emulator/{ending}" for ending in endings} <= files


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
