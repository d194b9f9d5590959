"""Where the median of noisy turns lies, and when turns decide."""

import random
from collections.abc import Sequence

import pytest

from bench.interval import Interval, Verdict, at_least, at_most, interval_of
from bench.pairs import Row, Turns, take_timed_turns
from bench.pairs import at_most as at_most_row


def ratio(low: float, high: float, turns: int = 15) -> Interval:
    return Interval(low, (low + high) / 2, high, turns)


def test_the_interval_reaches_from_one_rank_to_the_same_from_above() -> None:
    # A fair coin shows less than 3 heads of 15 in 0.37 % of all cases, less than 4 in 1.8 %.
    turns = [float(number) for number in range(1, 16)]
    assert interval_of(turns[::-1]) == Interval(3, 8, 13, 15)
    assert interval_of([2.0]) == Interval(2, 2, 2, 1)
    assert interval_of([1.0, 2.0, 9.0]) == Interval(1, 2, 9, 3)


def test_what_disturbs_some_turns_changes_nothing() -> None:
    turns = [1.0] * 13 + [50.0, 900.0]
    assert interval_of(turns) == Interval(1, 1, 1, 15)


def test_more_turns_make_it_narrower() -> None:
    once, twice, more = (
        interval_of([number / count for number in range(count)]) for count in (15, 30, 60)
    )
    assert once.high - once.low > twice.high - twice.low > more.high - more.low


@pytest.mark.parametrize("shape", [0.05, 0.5, 2.0])
def test_all_looks_together_are_wrong_in_one_of_twenty_runs_at_most(shape: float) -> None:
    chance = random.Random(7)  # noqa: S311  it has to be repeatable, not secret
    wrong = 0
    for _ in range(1_000):
        turns = [chance.lognormvariate(0, shape) for _ in range(60)]
        looks = (interval_of(turns[:count]) for count in (15, 30, 60))
        wrong += not all(each.low <= 1 <= each.high for each in looks)
    assert wrong <= 50


@pytest.mark.parametrize(
    ("found", "most", "least"),
    [
        (ratio(1.1, 1.2), Verdict.MET, Verdict.MISSED),
        (ratio(1.1, 1.3), Verdict.MET, Verdict.UNDECIDED),
        (ratio(1.2, 1.4), Verdict.UNDECIDED, Verdict.UNDECIDED),
        (ratio(1.3, 1.4), Verdict.UNDECIDED, Verdict.MET),
        (ratio(1.31, 1.4), Verdict.MISSED, Verdict.MET),
        (ratio(1.3, 1.3), Verdict.MET, Verdict.MET),
        (ratio(1.1, 1.2, turns=14), Verdict.UNDECIDED, Verdict.UNDECIDED),
    ],
)
def test_a_target_within_the_interval_is_not_decided(
    found: Interval, most: Verdict, least: Verdict
) -> None:
    assert (at_most(1.3, found), at_least(1.3, found)) == (most, least)


def taken(ratios: Sequence[float]) -> tuple[Row, int]:
    """Take turns of two sides that have these ratios, again and again, against 1.3."""
    asked = 0

    def measured() -> float:
        nonlocal asked
        asked += 1
        # The first turn does not count.
        return ratios[(asked - 2) % len(ratios)] if asked > 1 else 1_000.0

    result = take_timed_turns(
        {"ours": measured, "theirs": lambda: 1.0},
        lambda turns: [at_most_row(1.3, turns, "ours", "theirs")],
        rounds=15,
    )
    (row,) = result.rows
    assert len(result.loop) == len(result.turns["ours"]) == asked - 1
    assert min(result.loop) > 0
    return row, asked - 1


@pytest.mark.parametrize(
    ("ratios", "turns", "verdict"),
    [
        ([1.0, 1.1, 1.2], 15, Verdict.MET),
        ([1.4, 1.5], 15, Verdict.MISSED),
        # Two of three lie below, which 15 turns do not tell and 60 do.
        ([1.2, 1.4, 1.2], 60, Verdict.MET),
    ],
)
def test_turns_are_doubled_until_they_decide_and_twice_at_most(
    ratios: Sequence[float], turns: int, verdict: Verdict
) -> None:
    row, asked = taken(ratios)
    assert (asked, row.verdict) == (turns, verdict)
    assert row.ratio
    assert row.ratio.turns == turns


def test_a_median_on_the_good_side_ends_nothing_by_itself() -> None:
    # 8 of the first 15 are below the limit, and so is their median; of all turns half of them are.
    row, asked = taken([1.2, 1.4])
    assert (asked, row.verdict) == (60, Verdict.UNDECIDED)
    assert row.ratio
    assert (row.ratio.low, row.ratio.high, row.ratio.turns) == (1.2, 1.4, 60)


def test_every_row_of_a_table_has_to_be_decided() -> None:
    def judge(turns: Turns) -> list[Row]:
        return [at_most_row(limit, turns, "ours", "theirs") for limit in (2.0, 1.3)]

    sides = iter([1.2, 1.4] * 40)
    result = take_timed_turns(
        {"ours": lambda: next(sides), "theirs": lambda: 1.0}, judge, rounds=15
    )
    assert [row.verdict for row in result.rows] == [Verdict.MET, Verdict.UNDECIDED]
    assert len(result.loop) == 60
