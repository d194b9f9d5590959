"""Workflows run what is in the repository, may do little, and look after what changes by itself."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").iterdir())
MANIFESTS = {
    "pip": ("requirements.txt", "pyproject.toml"),
    "npm": ("package.json",),
    "github-actions": (".github/workflows",),
}


def read(path: Path) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load(path.read_text())
    return document


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in read(path)["jobs"].values() for step in job["steps"]]


def commands(path: Path) -> list[str]:
    return [step["run"] for step in steps(path) if "run" in step]


def test_every_change_is_tested_and_built() -> None:
    jobs = read(GITHUB / "workflows" / "ci.yml")["jobs"]
    assert "make test" in [step.get("run") for step in jobs["test"]["steps"]]
    (python,) = (each for each in jobs["test"]["steps"] if "setup-python" in each.get("uses", ""))
    assert python["with"]["python-version"] == (ROOT / ".python-version").read_text().strip()
    built = " ".join(step.get("run", "") for step in jobs["bicep"]["steps"])
    assert "az bicep build --file infra/main.bicep" in built
    assert "az bicep lint --file infra/main.bicep" in built


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_it_may_do_no_more_than_read(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] in ({}, {"contents": "read"})
    for job in workflow["jobs"].values():
        assert job.get("permissions", {"contents": "read"}) in ({}, {"contents": "read"})
        assert job["timeout-minutes"]
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_those_that_somebody_has_looked_at(path: Path) -> None:
    used = re.findall(r"uses: *(.*)", path.read_text())
    assert used
    for each in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*", each), each


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_what_strangers_write_is_no_command(path: Path) -> None:
    assert "secrets." not in path.read_text()
    assert [each for each in commands(path) if "${{" in each] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_targets_that_it_makes_exist(path: Path) -> None:
    for target in re.findall(r"\bmake ([a-z-]+)", "\n".join(commands(path))):
        made = subprocess.run(
            ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert made.returncode == 0, made.stderr


def test_upkeep_runs_every_week_and_when_a_lock_changes() -> None:
    # YAML 1.1 reads the key `on` as true.
    triggers = read(GITHUB / "workflows" / "upkeep.yml")[True]
    assert triggers["schedule"][0]["cron"].split()[2:4] == ["*", "*"]
    assert triggers["schedule"][0]["cron"].split()[4].isdigit()
    for pattern in triggers["push"]["paths"]:
        assert list(ROOT.glob(pattern)), pattern


def test_dependabot_looks_at_every_manifest() -> None:
    updates = read(GITHUB / "dependabot.yml")["updates"]
    watched = set()
    for update in updates:
        assert update["schedule"] == {"interval": "weekly"}
        assert [group["patterns"] for group in update["groups"].values()] == [["*"]]
        ecosystem = update["package-ecosystem"]
        for directory in update.get("directories") or [update["directory"]]:
            folder = ROOT / directory.strip("/")
            assert any((folder / name).exists() for name in MANIFESTS[ecosystem]), directory
            watched.add((ecosystem, folder))
    tracked = subprocess.run(
        ["git", "ls-files", "*package.json", "*pyproject.toml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for manifest in map(Path, tracked.stdout.split()):
        ecosystem = "npm" if manifest.name == "package.json" else "pip"
        assert (ecosystem, (ROOT / manifest).parent) in watched, manifest
