"""What a run of the measurements says and leaves behind."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.pairs import Row, at_least, at_most, exactly, faster
from bench.plot import draw_growth, draw_targets
from bench.report import Table, run
from bench.tables import tables
from docs.page import with_tables

ROOT = Path(__file__).parents[2]
TURNS = {"ours": [2.0, 4.0, 6.0], "theirs": [1.0, 2.0, 2.0]}


def test_the_page_has_the_figures_of_the_last_run() -> None:
    results = json.loads((ROOT / "bench/results.json").read_text())
    page = (ROOT / "docs/performance.md").read_text()
    assert all(f"<!-- table: {name} -->" in page for name in tables(results))
    assert with_tables(page, tables(results)) == page


def test_a_ratio_is_the_median_of_the_turns_and_not_the_ratio_of_the_medians() -> None:
    row = at_most(2.0, TURNS, "ours", "theirs")
    assert (row.value, row.other, row.ratio, row.met) == (4.0, 2.0, 2.0, True)
    uneven = {"ours": [1.0, 10.0, 10.0], "theirs": [1.0, 2.0, 20.0]}
    assert at_most(2.0, uneven, "ours", "theirs").ratio == 1.0


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (at_most(1.9, TURNS, "ours", "theirs"), False),
        (faster(2, TURNS, "theirs", "ours"), True),
        (faster(2.1, TURNS, "theirs", "ours"), False),
        (at_least(0.5, TURNS, "ours", "theirs"), True),
        (at_least(0.6, TURNS, "ours", "theirs"), False),
        (exactly(1, 1, "requests"), True),
        (exactly(1, 2, "requests"), False),
    ],
)
def test_a_missed_target_ends_the_run_with_1(
    row: Row, met: bool, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def measured() -> Iterator[Table]:
        yield Table("What", [row])

    file = tmp_path / "tables.json"
    assert run(measured, file) == (0 if met else 1)
    assert ("pass" in capsys.readouterr().out) is met
    (table,) = json.loads(file.read_text())
    assert table["rows"][0]["met"] is met


def size(png: Path) -> tuple[int, int]:
    """Return width and height in pixels, which stand at the begin of its first chunk."""
    begin = png.read_bytes()[:24]
    assert begin.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", begin[16:])
    return width, height


def test_the_pages_pictures_have_a_place_for_each_of_the_results(tmp_path: Path) -> None:
    found = json.loads((ROOT / "bench/results.json").read_text())["tables"]
    draw_targets([each for each in found if not each["curve"]], tmp_path / "performance.png")
    draw_growth([each for each in found if each["curve"]], tmp_path / "growth.png")
    for name in ("performance.png", "growth.png"):
        assert size(tmp_path / name) == size(ROOT / "docs" / name)
