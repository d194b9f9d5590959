"""What paired turns of two builds say."""

from bench.against.ratios import Pair, pair_of, ratio_of
from bench.interval import Interval


def test_a_pair_is_not_bent_by_what_disturbs_one_slice() -> None:
    assert pair_of([(2.0, 1.0), (2.0, 1.0), (900.0, 1.0)]) == Pair(2.0, 1.0, 2.0)
    assert pair_of([(2.0, 1.0), (6.0, 3.0), (20.0, 10.0)]) == Pair(6.0, 3.0, 2.0)


def test_drift_of_the_machine_that_both_sides_feel_leaves_the_ratio_as_it_is() -> None:
    slower_and_slower = [Pair(1.5 * drift, drift, 1.5) for drift in (1.0, 2.0, 4.0, 8.0)]
    found = ratio_of(slower_and_slower)
    assert found.by == Interval(1.5, 1.5, 1.5, turns=4)
    assert (found.present, found.other) == (4.5, 3.0)
