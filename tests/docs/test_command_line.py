"""docs/command-line.md has the options that there are."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "command-line.md").read_text()


def documented(section: str) -> set[str]:
    (text,) = re.findall(rf"^## {section}$(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    rows = "".join(re.findall(r"^\| .*$", text, re.MULTILINE))
    return set(re.findall(r"`(--[a-z]+)", rows))


@pytest.mark.parametrize("command", ["listen", "send"])
def test_every_option_is_on_the_page(command: str) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "shared", command, "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    options = set(re.findall(r"^  (?:-h, )?(--[a-z]+)", shown, re.MULTILINE)) - {"--help"}
    assert options == documented(command) | documented("Where, and as whom")
