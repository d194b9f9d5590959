import pytest
from signalr_emulator.clock import MAX_ADVANCE, Clock


def test_follows_its_source_and_adds_what_it_was_advanced() -> None:
    times = iter([100.0, 101.0])
    clock = Clock(lambda: next(times))
    assert clock.now() == 100.0
    clock.advance(5400)
    clock.advance(0.5)
    assert clock.now() == 101.0 + 5400.5
    assert clock.offset == 5400.5


def test_a_reset_goes_back_to_the_source_and_remembers_what_was_ahead() -> None:
    clock = Clock(lambda: 100.0)
    clock.advance(3600)
    clock.reset()
    assert (clock.now(), clock.offset) == (100.0, 0.0)
    assert clock.start_limit == 3700.0
    clock.advance(60)
    assert (clock.now(), clock.start_limit) == (160.0, 3700.0)


@pytest.mark.parametrize("seconds", [-1, -0.001, MAX_ADVANCE + 1, float("nan"), float("inf")])
def test_refuses_what_is_no_step_forward(seconds: float) -> None:
    clock = Clock(lambda: 100.0)
    with pytest.raises(ValueError, match="number of seconds"):
        clock.advance(seconds)
    assert clock.now() == 100.0
