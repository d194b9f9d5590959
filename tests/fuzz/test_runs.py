"""What each way to fuzz tells, of a target that is broken and of tests that are not."""

from pathlib import Path

import pytest

import fuzz.runs
from fuzz.rows import Row, table
from fuzz.runs import properties, property_tests
from fuzz.target import Target


def breaks(data: bytes) -> None:
    assert b"\xff" not in data


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(fuzz.runs, "_ROOT", tmp_path)
    monkeypatch.setattr(fuzz.runs, "_FINDINGS", tmp_path)
    return tmp_path


def test_a_finding_is_kept_and_the_command_that_shows_it_again_is_told(folder: Path) -> None:
    row = properties(Target("breaks", breaks, (b"seed",)), 20.0)
    (finding,) = row.findings
    command, _, file = finding.rpartition(" ")
    assert command == "python -m fuzz breaks --file"
    assert (folder / file).read_bytes() == b"\xff"
    assert row.executions > 0


def test_property_tests_tell_how_much_they_tried() -> None:
    (row,) = property_tests(0.0, "tests/shared/rest/test_retry.py")
    assert (row.target, row.findings) == ("tests/shared/rest/test_retry.py", ())
    assert row.executions >= 2 * 500


def test_the_table() -> None:
    rows = [Row("coverage", "a", 1_000), Row("properties", "long name", 5, ("x",))]
    assert table(rows).splitlines() == [
        "how         target     executions  findings",
        "coverage    a               1,000         0",
        "properties  long name           5         1",
    ]
