"""What a run of the measurements says and leaves behind."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.growth.pictures import draw
from bench.interval import FEWEST_TURNS
from bench.noise import swing_of, time_loop
from bench.pairs import Row, at_least, at_most, exactly, faster
from bench.plot import draw_growth, draw_targets
from bench.report import Table, run
from bench.tables import stored_tables
from docs.page import with_tables

ROOT = Path(__file__).parents[2]
TURNS = {"ours": [2.0, 4.0, 6.0] * 5, "theirs": [1.0, 2.0, 3.0] * 5}
NOISY = {"ours": [1.0, 2.0] * 8, "theirs": [1.0] * 16}


def test_the_page_has_the_figures_of_the_last_run() -> None:
    page = (ROOT / "docs/performance.md").read_text()
    assert all(f"<!-- table: {name} -->" in page for name in stored_tables())
    assert with_tables(page, stored_tables()) == page


def test_a_ratio_is_the_median_of_the_turns_and_not_the_ratio_of_the_medians() -> None:
    row = at_most(2.0, TURNS, "ours", "theirs")
    assert (row.value, row.other, row.ratio) == (4.0, 2.0, (2.0, 2.0, 2.0, 15))
    uneven = {"ours": [1.0, 10.0, 10.0], "theirs": [1.0, 2.0, 20.0]}
    assert at_most(2.0, uneven, "ours", "theirs").ratio == (0.5, 1.0, 5.0, 3)


def test_every_row_of_the_page_has_turns_enough_and_a_spread_around_its_median() -> None:
    found = json.loads((ROOT / "bench/results.json").read_text())
    rows = [row for table in found["tables"] for row in table["rows"]]
    assert all((row["ratio"] is None) is row["target"].startswith("=") for row in rows)
    ratios = [row["ratio"] for row in rows if row["ratio"]]
    assert len(ratios) > 20
    for ratio in ratios:
        assert ratio["turns"] >= FEWEST_TURNS
        assert ratio["low"] <= ratio["middle"] <= ratio["high"]


def test_the_machines_own_noise_is_told_by_a_loop_that_never_changes() -> None:
    swing = swing_of([100.0] * 15 + [200.0] * 5)
    assert swing == (100, 100, 125, 200, 20)
    assert "took 100 µs, half of 20 times 100 to 125 µs, one of twenty over 200 µs" in str(swing)
    assert time_loop() > 0


@pytest.mark.parametrize(
    ("row", "said", "status"),
    [
        (at_most(2.0, TURNS, "ours", "theirs"), "pass", 0),
        (at_most(1.9, TURNS, "ours", "theirs"), "FAIL", 1),
        (faster(2, TURNS, "theirs", "ours"), "pass", 0),
        (faster(2.1, TURNS, "theirs", "ours"), "FAIL", 1),
        (at_least(0.5, TURNS, "ours", "theirs"), "pass", 0),
        (at_least(0.6, TURNS, "ours", "theirs"), "FAIL", 1),
        (at_least(0.6, NOISY, "ours", "theirs"), "not decided", 0),
        (exactly(1, 1, "requests"), "pass", 0),
        (exactly(1, 2, "requests"), "FAIL", 1),
    ],
)
def test_a_missed_target_alone_ends_the_run_with_1(
    row: Row, said: str, status: int, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def measured() -> Iterator[Table]:
        yield Table("What", [row])

    file = tmp_path / "tables.json"
    assert run(measured, file) == status
    assert capsys.readouterr().out.rstrip().endswith(said)
    (table,) = json.loads(file.read_text())
    assert table["rows"][0]["verdict"] == row.verdict


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
    pictures = ["performance.png", "growth.png"]
    growth = json.loads((ROOT / "bench/growth/results.json").read_text())
    for family, curves in growth["curves"].items():
        pictures.append(f"growth-{family}.png")
        draw(curves, tmp_path / pictures[-1])
    for name in pictures:
        assert size(tmp_path / name) == size(ROOT / "docs" / name)
