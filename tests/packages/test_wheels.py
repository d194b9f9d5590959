"""The distributions as people install them."""

import email
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from load.processes import ROOT
from tests.packages.conftest import Environment

SOURCES = {"keyless_signalr": "shared", "funchost": "funchost"}


def files(folder: Path) -> set[str]:
    """Return what git knows, and what is not added yet."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"],
        cwd=folder, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    return {each for each in listed if (folder / each).exists()}


def wheel(dist: Path, name: str) -> zipfile.ZipFile:
    (path,) = dist.glob(f"{name}-*.whl")
    return zipfile.ZipFile(path)


def test_there_is_a_wheel_and_an_sdist_of_each(dist: Path) -> None:
    names = {each.name.partition("-")[0] for each in dist.glob("*.whl")}
    assert names == {"keyless_signalr", "signalr_emulator", "local_functions_host"}
    assert {each.name.partition("-")[0] for each in dist.glob("*.tar.gz")} == names


def test_the_library_is_whole_and_has_nothing_else(dist: Path) -> None:
    found = {
        each for each in wheel(dist, "keyless_signalr").namelist() if ".dist-info/" not in each
    }
    assert found == {
        f"keyless_signalr/{each}"
        for each in files(ROOT / "shared")
        if each.endswith((".py", "py.typed"))
    }


@pytest.mark.parametrize("name", ["keyless_signalr", "signalr_emulator", "local_functions_host"])
def test_the_same_wheel_is_built_from_the_sdist(dist: Path, name: str, tmp_path: Path) -> None:
    (sdist,) = dist.glob(f"{name}-*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (rebuilt,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(rebuilt) as one, wheel(dist, name) as other:
        assert {each: one.read(each) for each in one.namelist()} == {
            each: other.read(each) for each in other.namelist()
        }


def test_the_core_needs_an_identity_and_http_and_the_rest_is_extra(dist: Path) -> None:
    with wheel(dist, "keyless_signalr") as built:
        (name,) = (each for each in built.namelist() if each.endswith("/METADATA"))
        metadata = email.message_from_bytes(built.read(name))
    requirements = metadata.get_all("Requires-Dist") or []
    core = {each.partition(">")[0] for each in requirements if "extra" not in each}
    assert core == {"azure-identity", "httptools", "requests"}
    extras = {"command", "functions", "messagepack", "persistent", "telemetry"}
    assert set(metadata.get_all("Provides-Extra") or []) == extras
    assert metadata["Requires-Python"] == ">=3.12"
    assert "Typing :: Typed" in (metadata.get_all("Classifier") or [])
    assert str(metadata.get_payload()).startswith("# keyless-signalr")


def test_the_client_needs_nothing_of_the_extras(environment: Environment) -> None:
    code = (
        "import keyless_signalr, keyless_signalr.aio, sys\n"
        "print([n for n in ('azure.functions', 'msgspec', 'jwt') if n in sys.modules])\n"
        "print(keyless_signalr.__version__)"
    )
    extras, version = environment.run("-c", code).splitlines()
    assert extras == "[]"
    installed = "from importlib.metadata import version; print(version('keyless-signalr'))"
    assert environment.run("-c", installed).strip() == version


def test_nothing_of_the_checkout_is_on_the_path(environment: Environment) -> None:
    code = (
        "import keyless_signalr, signalr_emulator, funchost\n"
        "for each in (keyless_signalr, signalr_emulator, funchost): print(each.__file__)"
    )
    for path in environment.run("-c", code).splitlines():
        assert Path(path).is_relative_to(environment.python.parents[1])
        assert not Path(path).is_relative_to(ROOT)


def test_each_command_says_its_version(environment: Environment) -> None:
    for module, distribution in (
        ("keyless_signalr", "keyless-signalr"),
        ("signalr_emulator", "signalr-emulator"),
        ("funchost", "local-functions-host"),
    ):
        code = f"from importlib.metadata import version; print(version('{distribution}'))"
        version = environment.run("-c", code).strip()
        assert version in environment.run("-m", module, "--version")


def test_the_librarys_command_is_installed(environment: Environment) -> None:
    for arguments in (["--version"], ["listen", "--help"], ["send", "--help"]):
        command = [str(environment.python.with_name("keyless-signalr")), *arguments]
        shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        assert "keyless-signalr" in shown
