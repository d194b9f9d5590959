from load.account.figures import growth, percentiles


def test_growth_is_that_of_the_second_half() -> None:
    times = [float(second) for second in range(100)]
    warming = [min(second, 50.0) for second in times]
    assert abs(growth(times, warming)) < 0.1
    leaking = [50.0 + second for second in times]
    assert 48.9 < growth(times, leaking) < 49.1
    noisy = [50.0 + second % 2 for second in times]
    assert abs(growth(times, noisy)) < 0.2
    assert growth([], []) == growth([1.0], [2.0]) == 0.0


def test_percentiles_are_in_milliseconds() -> None:
    found = percentiles([second / 1000 for second in range(101)])
    assert found == {"p50": 50.0, "p90": 90.0, "p99": 99.0, "max": 100.0}
    assert percentiles([]) == {}
