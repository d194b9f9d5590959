"""What the Makefile says of itself, with the tools that every Unix has."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Makefile").read_text()


def test_help_shows_every_target_with_what_it_is_for() -> None:
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    described = re.findall(r"^([a-z-]+):.*?## (.*)$", TEXT, re.MULTILINE)
    assert [tuple(line.removeprefix("  make ").split(maxsplit=1)) for line in shown] == described
    (phony,) = re.findall(r"^\.PHONY: (.*)$", TEXT, re.MULTILINE)
    assert set(phony.split()) == {target for target, _ in described}


def test_nothing_is_asked_of_tools_that_only_gnu_has() -> None:
    # BSD's sed, which macOS has, writes \t as t and takes an argument to -i; its expand is another.
    assert re.findall(r"sed -i|\bsed .*\\t|\bexpand -|\bcp -al|\breadlink -f|\bgrep -P", TEXT) == []
