"""The set-up of a checkout, from packages that lie beside it: without a network."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.processes import PATIENCE, ROOT
from tests.e2e.test_start import ON_A_TERMINAL

# A backend without requirements, in the folder of the project.
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "local"
version = "1.0"
"""
BACKEND = """
from wheels import write

def build_editable(folder, config_settings=None, metadata_directory=None):
    return write(folder, "local")

build_wheel = build_editable
"""
WHEELS = """
import pathlib, zipfile

def write(folder, name):
    file = f"{name}-1.0-py3-none-any.whl"
    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(pathlib.Path(folder, file), "w") as wheel:
        wheel.writestr(f"{name}.py", "")
        named = f"Name: {name}\\nVersion: 1.0"
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\\n{named}\\n")
        kind = "Root-Is-Purelib: true\\nTag: py3-none-any"
        wheel.writestr(f"{about}/WHEEL", f"Wheel-Version: 1.0\\n{kind}\\n")
        wheel.writestr(f"{about}/RECORD", "")
    return file
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    (folder / "emulator").mkdir(parents=True)
    shutil.copyfile(ROOT / "set_up.py", folder / "set_up.py")
    (folder / "emulator/pyproject.toml").write_text(PROJECT)
    (folder / "emulator/backend.py").write_text(BACKEND)
    (folder / "emulator/wheels.py").write_text(WHEELS)
    write = "import sys, wheels; wheels.write(sys.argv[1], 'small')"
    subprocess.run([sys.executable, "-c", write, tmp_path], cwd=folder / "emulator", check=True)
    (wheel,) = tmp_path.glob("*.whl")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = f"--no-index\n--find-links {tmp_path}\nsmall==1.0 \\\n    --hash=sha256:{digest}\n"
    (folder / "requirements-dev.txt").write_text(lock)
    return folder


def said(checkout: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=checkout,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=4 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.decode()


@pytest.mark.timeout(300)
def test_it_says_how_far_it_is_and_is_silent_when_nothing_is_to_do(checkout: Path) -> None:
    command = ("-c", ON_A_TERMINAL, sys.executable, "set_up.py", "environment")
    shown = [each.strip() for each in said(checkout, *command).split("\r")]
    begin = "Setting up .venv (once, about a minute) ..."
    assert list(dict.fromkeys(filter(None, shown))) == [
        begin,
        f"{begin} 1 of 1 packages",
        f"{begin} installing",
        f"{begin} done",
    ]
    python = checkout / ".venv/bin/python"
    subprocess.run([python, "-c", "import local, small"], check=True)
    assert said(checkout, "-c", "import set_up; set_up.set_up_environment()") == ""
