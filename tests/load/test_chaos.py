"""Which failures a fault explains, and which fail the run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from load.account.journal import Failure, FailureKind
from load.chaos import Recovery, Window, unexcused
from load.faults import FAULTS, QUICK, Fault
from load.rig import Rig


@asynccontextmanager
async def _nothing(_rig: Rig) -> AsyncIterator[None]:
    yield


def window(*kinds: FailureKind, noticed_within: float = 1000.0) -> Window:
    fault = Fault("f", "p", _nothing, 1.0, frozenset(kinds), noticed_within, 30.0)
    return Window(fault, began=100.0, closed=120.0, recovery=Recovery(0.0, 0.0, 0.0))


def failure(kind: FailureKind, began: float, ended: float) -> Failure:
    return Failure(kind, "detail", began, ended)


def test_a_fault_explains_what_it_may_do_and_when_it_may() -> None:
    during = failure(FailureKind.SEND, 105.0, 106.0)
    assert unexcused([during], [window(FailureKind.SEND)], []) == []
    assert unexcused([during], [window(FailureKind.GROUP)], []) == [during]
    assert unexcused([during], [], []) == [during]
    across = [failure(FailureKind.SEND, 99.0, 101.0), failure(FailureKind.SEND, 119.0, 130.0)]
    assert unexcused(across, [window(FailureKind.SEND)], []) == []
    outside = [failure(FailureKind.SEND, 90.0, 99.0), failure(FailureKind.SEND, 121.0, 122.0)]
    assert unexcused(outside, [window(FailureKind.SEND)], []) == outside


def test_negotiations_have_to_succeed_once_the_app_must_have_noticed() -> None:
    noticing = window(*FailureKind, noticed_within=5.0)
    early = failure(FailureKind.NEGOTIATION, 104.0, 109.0)
    late = failure(FailureKind.NEGOTIATION, 108.0, 109.0)
    late_send = failure(FailureKind.SEND, 108.0, 109.0)
    assert unexcused([early, late, late_send], [noticing], []) == [late]


def test_a_leap_of_the_clock_explains_tokens_that_are_too_old_and_no_more() -> None:
    lost, send = failure(FailureKind.LOSS, 5.0, 6.0), failure(FailureKind.SEND, 5.0, 6.0)
    assert unexcused([lost, send], [], [(5.5, 7.0)]) == [send]


def test_a_recovery_that_takes_longer_than_promised_is_too_slow() -> None:
    slow = window()
    assert not slow.too_slow
    slow.recovery = Recovery(served=0.0, well=32.0, back=0.0)
    assert slow.too_slow


def test_faults_have_names_of_their_own_and_the_quick_ones_are_among_them() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert set(QUICK) < set(FAULTS)
