"""Workflows may read the repository, run what was reviewed, and call targets that exist."""

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
    read: dict[Any, Any] = yaml.safe_load(path.read_text())
    return read


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in read(path)["jobs"].values() for step in job["steps"]]


def test_there_are_workflows() -> None:
    assert "upkeep.yml" in [path.name for path in WORKFLOWS]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
class TestWorkflow:
    def test_it_may_read_and_nothing_else(self, path: Path) -> None:
        workflow = read(path)
        assert workflow["permissions"] == {"contents": "read"}
        assert [name for name, job in workflow["jobs"].items() if "permissions" in job] == []
        assert "secrets." not in path.read_text()
        # A check-out's token would be readable by every later step.
        for step in steps(path):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False

    def test_actions_are_named_by_commit_and_say_their_version(self, path: Path) -> None:
        lines = re.findall(r"uses: *(.+)", path.read_text())
        assert len(lines) == sum("uses" in step for step in steps(path))
        for line in lines:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", line), line

    def test_it_ends(self, path: Path) -> None:
        for name, job in read(path)["jobs"].items():
            assert 0 < job["timeout-minutes"] <= 60, name

    def test_what_strangers_write_is_no_command(self, path: Path) -> None:
        commands = [step["run"] for step in steps(path) if "run" in step]
        assert [each for each in commands if "${{" in each] == []

    def test_targets_exist(self, path: Path) -> None:
        commands = "\n".join(step.get("run", "") for step in steps(path))
        for target in re.findall(r"\bmake ([a-z-]+)", commands):
            made = subprocess.run(
                ["make", "--dry-run", target], cwd=ROOT, capture_output=True, check=False
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
