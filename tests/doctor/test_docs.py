"""What docs/doctor.md shows is what the doctor prints."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from signalr_emulator.testing import running_emulator

from tests.doctor.conftest import Whole
from tests.e2e.processes import PATIENCE, ROOT

SHOWN = re.findall(
    r"^```text\n(.*?)^```$", (ROOT / "docs/doctor.md").read_text(), re.MULTILINE | re.DOTALL
)
VARYING = (
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"in \d+ ms", "in N ms"),
    (r"key [0-9a-f]{11}-[0-9a-f]{16}", "key ID"),
    (r"until [0-9T:+-]+", "until THEN"),
    (r"doctor-[0-9a-f]{12}", "doctor-ID"),
    (r"within \d+ s", "within N s"),
    (r"\S*local\.settings\.json and the environment", "local.settings.json and the environment"),
)


def fixed(text: str) -> list[str]:
    """Give the lines without what differs from run to run, and where they are wrapped by it."""
    text = re.sub(r"\n {28}(?=\S)", " ", text)
    for pattern, instead in VARYING:
        text = re.sub(pattern, instead, text)
    return text.strip().splitlines()


def printed(settings: Path, arguments: Sequence[str] = ()) -> list[str]:
    ended = subprocess.run(
        [sys.executable, "-m", "doctor", "--settings", str(settings), *arguments],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        env={"PYTHONIOENCODING": "utf-8"},
        timeout=PATIENCE,
        check=False,
    )
    return fixed(ended.stdout)


def test_the_pages_runs_are_all_tried() -> None:
    assert len(SHOWN) == 4


def test_lines_are_as_long_as_a_terminal_is_wide() -> None:
    lines = [line for shown in SHOWN for line in shown.splitlines()]
    assert all(len(line) <= 80 for line in lines if not re.match(" {6}[a-z]", line))


def test_with_the_app(whole: Whole) -> None:
    assert printed(whole.settings, ["--origin", "https://contoso.com"]) == fixed(SHOWN[2])


@pytest.mark.parametrize(
    ("number", "options"), [(1, ["--role", "none"]), (3, ["--service-mode", "Default"])]
)
def test_with_the_emulator_alone(number: int, options: list[str], tmp_path: Path) -> None:
    settings = tmp_path / "local.settings.json"
    with running_emulator(*options) as emulator:
        values = {**emulator.app_settings, "SIGNALR_HUBS": "chat"}
        # A port where no app listens.
        settings.write_text(json.dumps({"Values": values, "Host": {"LocalHttpPort": 9}}))
        assert printed(settings) == fixed(SHOWN[number])
