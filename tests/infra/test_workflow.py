"""The workflow that tests every change."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.infra.bicep import ROOT

FOLDER: Final = ROOT / ".github" / "workflows"
WORKFLOWS: Final = sorted(FOLDER.glob("*.yml"))


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_it_tests_and_builds() -> None:
    jobs = yaml.safe_load((FOLDER / "ci.yml").read_text())["jobs"]
    assert "make test" in [step.get("run") for step in jobs["test"]["steps"]]
    (python,) = (each for each in jobs["test"]["steps"] if "setup-python" in each.get("uses", ""))
    assert python["with"]["python-version"] == (ROOT / ".python-version").read_text().strip()
    built = " ".join(step.get("run", "") for step in jobs["bicep"]["steps"])
    assert "az bicep build --file infra/main.bicep" in built
    assert "az bicep lint --file infra/main.bicep" in built


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_it_may_do_no_more_than_read(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] in ({}, {"contents": "read"})
    for job in workflow["jobs"].values():
        assert job.get("permissions", {"contents": "read"}) in ({}, {"contents": "read"})
        assert job["timeout-minutes"]
    for step in steps(workflow):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_those_that_somebody_has_looked_at(path: Path) -> None:
    used = re.findall(r"uses: *(.*)", path.read_text())
    assert used
    for each in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*", each), each
