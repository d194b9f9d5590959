"""What is installed is locked, for a deployment by version and for development by hash."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from docs.licences import app_requirements, development_requirements, distribution_requirements

ROOT = Path(__file__).parents[2]
APP = "constraints.txt"
DEVELOPMENT = "requirements-dev.txt"
FUZZER = "requirements-fuzz.txt"
DISTRIBUTIONS = ("emulator", "funchost", "shared")
# Dependabot reads no requirements file that is longer than this.
LONGEST = 500_000


def entries(lock: str) -> list[str]:
    """Return each entry of a lock in one line, without comments."""
    lines = (ROOT / lock).read_text().replace("\\\n", " ").splitlines()
    texts = (re.sub(r"(^|\s)#.*", "", line).strip() for line in lines)
    return [text for text in texts if text]


def versions(lock: str) -> dict[str, Version]:
    found: dict[str, Version] = {}
    for entry in entries(lock):
        requirement = Requirement(entry.partition(" --hash")[0])
        (exact,) = requirement.specifier
        assert exact.operator == "==", entry
        found[canonicalize_name(requirement.name)] = Version(exact.version)
    return found


def all_requirements() -> list[Requirement]:
    return [
        *app_requirements(),
        *development_requirements(),
        *(each for folder in DISTRIBUTIONS for each in distribution_requirements(folder)),
        *(each for folder in DISTRIBUTIONS for each in build_requirements(folder)),
    ]


def build_requirements(folder: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())
    return [Requirement(text) for text in project["build-system"]["requires"]]


def missed(requirements: list[Requirement], lock: str) -> list[str]:
    locked = versions(lock)
    return [
        str(each)
        for each in requirements
        if (version := locked.get(canonicalize_name(each.name))) is None
        or not each.specifier.contains(version, prereleases=True)
    ]


def test_the_app_names_the_oldest_versions_that_work() -> None:
    operators = {
        each.name: [specifier.operator for specifier in each.specifier]
        for each in app_requirements()
    }
    # An exact version chooses the worker that Azure runs.
    assert operators.pop("azure-functions-runtime") == ["=="]
    assert operators
    assert all(found == [">="] for found in operators.values()), operators


def test_a_deployment_gets_the_locked_versions() -> None:
    assert entries("requirements.txt")[0] == f"-c {APP}"
    assert missed(app_requirements(), APP) == [], "Run: make lock"
    assert APP not in (ROOT / ".funcignore").read_text().splitlines()


def test_no_hash_stands_where_azures_pip_would_refuse_it() -> None:
    assert "--hash" not in (ROOT / APP).read_text()


def test_development_and_tests_get_what_is_deployed() -> None:
    development = versions(DEVELOPMENT)
    deployed = versions(APP)
    assert {name: development[name] for name in deployed} == deployed, "Run: make lock"


def test_the_lock_has_all_that_is_asked_for() -> None:
    assert missed(all_requirements(), DEVELOPMENT) == [], "Run: make lock"


def test_the_app_asks_for_what_the_library_in_it_asks_for() -> None:
    app = {each.name: each.specifier for each in app_requirements()}
    here = {"python_version": ".".join(map(str, sys.version_info[:2]))}
    library = {
        each.name: each.specifier
        for each in distribution_requirements("shared")
        if each.marker is None or each.marker.evaluate(here)
    }
    # Azure Monitor's distribution brings it.
    del library["opentelemetry-sdk"]
    # For long-lived hosts that send by server connections; the app as it is deployed does not.
    del library["websockets"]
    assert {name: app.get(name) for name in library} == library


def test_every_package_has_hashes() -> None:
    for entry in (*entries(DEVELOPMENT), *entries(FUZZER)):
        _, *hashes = entry.split(" --hash=")
        assert hashes, entry
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each.strip()) for each in hashes), entry


def test_dependabot_reads_the_lock() -> None:
    assert (ROOT / DEVELOPMENT).stat().st_size < LONGEST


def test_set_up_installs_nothing_that_is_not_locked() -> None:
    """Read what `make` would run: each installation is by hash, or of the emulator itself."""
    made = subprocess.run(
        ["make", "--always-make", "--dry-run", "--no-print-directory", ".venv/ready", ".venv/fuzz"],
        cwd=ROOT,
        env={**os.environ, "MAKEFLAGS": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    installations = [line for line in made.stdout.splitlines() if " install " in line]
    assert any("--require-hashes" in line for line in installations)
    for line in installations:
        ours = "--no-deps --no-build-isolation" in line and line.endswith("-e ./emulator")
        locked = any(f"--require-hashes -r {each}" in line for each in (DEVELOPMENT, FUZZER))
        assert ours or locked, line


@pytest.mark.parametrize("lock", [APP, DEVELOPMENT, FUZZER])
def test_a_lock_names_no_server(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"^--?[a-z]", text, re.MULTILINE)
