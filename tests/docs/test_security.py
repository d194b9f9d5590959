"""The tests that docs/security.md names."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text()
TESTS = "\n".join(
    path.read_text()
    for folder in ("tests", "emulator/tests")
    for path in (ROOT / folder).rglob("test_*.py")
)


def test_every_test_that_the_page_names_exists() -> None:
    there = set(re.findall(r"^(?:async )?def (test_\w+)\(", TESTS, re.MULTILINE))
    named = set(re.findall(r"`(test_\w+)`", TEXT))
    assert named
    assert named <= there


def test_every_threat_names_one() -> None:
    threats = [line for line in TEXT.splitlines() if line.startswith("| ")]
    rows = [line for line in threats if not line.startswith("| threat |")]
    assert rows
    assert [row for row in rows if "`test_" not in row.rsplit("|", 2)[1]] == []
