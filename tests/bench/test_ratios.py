"""What paired turns of two builds say, and when a limit is missed."""

import pytest

from bench.against.ratios import FEWEST_PAIRS, Pair, Ratio, Verdict, judge, pair_of, ratio_of


def ratio(low: float, middle: float, high: float, pairs: int = FEWEST_PAIRS) -> Ratio:
    return Ratio(present=1.0, other=1.0, ratio=middle, low=low, high=high, pairs=pairs)


def test_a_pair_is_not_bent_by_what_disturbs_one_slice() -> None:
    assert pair_of([(2.0, 1.0), (2.0, 1.0), (900.0, 1.0)]) == Pair(2.0, 1.0, 2.0)
    assert pair_of([(2.0, 1.0), (6.0, 3.0), (20.0, 10.0)]) == Pair(6.0, 3.0, 2.0)


def test_drift_of_the_machine_that_both_sides_feel_leaves_the_ratio_as_it_is() -> None:
    slower_and_slower = [Pair(1.5 * drift, drift, 1.5) for drift in (1.0, 2.0, 4.0, 8.0)]
    found = ratio_of(slower_and_slower)
    assert (found.ratio, found.low, found.high) == (1.5, 1.5, 1.5)
    assert (found.present, found.other) == (4.5, 3.0)


def test_the_spread_is_the_interquartile_range_of_the_pairs_ratios() -> None:
    found = ratio_of([Pair(each, 1.0, each) for each in (5.0, 1.0, 3.0, 2.0, 4.0)])
    assert (found.low, found.ratio, found.high, found.pairs) == (2.0, 3.0, 4.0, 5)


def test_one_pair_has_no_spread() -> None:
    found = ratio_of([Pair(3.0, 2.0, 1.5)])
    assert found == Ratio(present=3.0, other=2.0, ratio=1.5, low=1.5, high=1.5, pairs=1)


@pytest.mark.parametrize(
    ("low", "middle", "high", "verdict"),
    [
        (0.9, 1.0, 1.1, Verdict.MET),
        (1.0, 1.03, 1.1, Verdict.MET),
        (1.03, 1.05, 1.1, Verdict.WITHIN_SPREAD),
        (1.031, 1.05, 1.1, Verdict.MISSED),
    ],
)
def test_a_limit_is_missed_when_it_lies_below_the_spread(
    low: float, middle: float, high: float, verdict: Verdict
) -> None:
    assert judge(ratio(low, middle, high), 1.03) is verdict


def test_few_pairs_judge_nothing() -> None:
    assert judge(ratio(2.0, 2.0, 2.0, FEWEST_PAIRS - 1), 1.03) is Verdict.TOO_FEW
    assert judge(ratio(2.0, 2.0, 2.0, FEWEST_PAIRS), 1.03) is Verdict.MISSED
