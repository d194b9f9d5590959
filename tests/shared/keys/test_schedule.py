from shared.errors import PermissionDeniedError, ServiceUnavailableError
from shared.keys.access_key import AccessKey
from shared.keys.schedule import Moment, Schedule

MINUTE = 60.0


def at(seconds: float) -> Moment:
    return Moment(seconds, seconds)


def test_schedule_backs_off_to_half_a_minute_and_honours_retry_after() -> None:
    schedule = Schedule()
    delays = []
    for _ in range(7):
        schedule.failed(ServiceUnavailableError("down"), at(0.0), jitter=1.0)
        delays.append(schedule.due.wall)
    assert delays == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    schedule.failed(ServiceUnavailableError("later", retry_after=50.0), at(0.0), jitter=1.0)
    assert schedule.due.wall == 50.0
    assert schedule.refusal(at(49.0)) is not None, "nobody asks before the service wants it"
    schedule.failed(ServiceUnavailableError("down"), at(0.0), jitter=0.0)
    assert schedule.due.wall == 1.0, "never at once, however the dice fall"


def test_schedule_lets_a_caller_ask_again_two_seconds_after_a_refusal() -> None:
    schedule = Schedule()
    for _ in range(7):
        schedule.failed(PermissionDeniedError("role missing"), at(0.0), jitter=1.0)
    assert schedule.due.wall == 30.0
    assert schedule.refusal(at(1.9)) is not None
    assert schedule.refusal(at(2.0)) is None


def test_schedule_spreads_rotations_over_five_minutes() -> None:
    key = AccessKey("k", b"s", obtained_at=0.0)
    schedule = Schedule()
    schedule.succeeded(key, at(0.0), at(0.0), jitter=0.0)
    assert schedule.due.wall == 60 * MINUTE
    schedule.succeeded(key, at(0.0), at(0.0), jitter=1.0)
    assert schedule.due.wall == 55 * MINUTE


def test_schedule_knows_a_key_for_ninety_minutes_by_either_clock() -> None:
    schedule = Schedule()
    key = AccessKey("k", b"s", obtained_at=0.0)
    schedule.succeeded(key, Moment(0.0, 500.0), Moment(10.0, 510.0), jitter=0.0)
    assert schedule.usable(Moment(90 * MINUTE - 2, 0.0)) is not None
    assert schedule.usable(Moment(90 * MINUTE - 1, 0.0)) is None
    assert schedule.usable(Moment(0.0, 90 * MINUTE + 498)) is not None
    assert schedule.usable(Moment(0.0, 90 * MINUTE + 499)) is None


def test_a_clock_that_is_set_back_makes_a_fetch_due_once() -> None:
    schedule = Schedule()
    now = Moment(7200.0, 100.0)
    schedule.succeeded(AccessKey("k", b"s", 7200.0), now, now, jitter=0.0)
    earlier = Moment(3600.0, 101.0)
    assert schedule.is_due(earlier)
    assert schedule.usable(earlier) is not None, "the key is as good as before"
    schedule.failed(ServiceUnavailableError("down"), earlier, jitter=1.0)
    assert not schedule.is_due(Moment(3600.5, 101.5))
    assert schedule.is_due(Moment(3601.0, 102.0))


def test_a_key_is_checked_every_five_minutes() -> None:
    schedule = Schedule()
    schedule.succeeded(AccessKey("k", b"s", obtained_at=0.0), at(0.0), at(0.0), jitter=0.0)
    assert not schedule.is_check_due(at(5 * MINUTE - 1))
    assert schedule.is_check_due(at(5 * MINUTE))
    assert not schedule.is_fresh(*at(5 * MINUTE)), "the next caller sees to the check"
    schedule.checked(at(6 * MINUTE))
    assert schedule.is_fresh(*at(11 * MINUTE - 1))
    assert schedule.is_check_due(at(11 * MINUTE))
    assert schedule.due.wall == 60 * MINUTE, "a check does not put the rotation off"


def test_a_key_that_the_service_does_not_know_is_replaced_at_once_and_used_until_then() -> None:
    schedule = Schedule()
    schedule.succeeded(AccessKey("k", b"s", obtained_at=0.0), at(0.0), at(0.0), jitter=0.0)
    schedule.disowned(at(5 * MINUTE))
    assert schedule.is_due(at(5 * MINUTE))
    assert schedule.usable(at(5 * MINUTE)) is not None
    schedule.failed(ServiceUnavailableError("down"), at(5 * MINUTE), jitter=1.0)
    assert not schedule.is_due(at(5 * MINUTE + 0.5)), "a check does not undo the pause"


def test_without_a_key_nothing_is_checked() -> None:
    schedule = Schedule()
    schedule.failed(ServiceUnavailableError("down"), at(0.0), jitter=1.0)
    assert not schedule.is_check_due(at(1e9))


def test_no_retry_after_keeps_a_key_away_for_more_than_a_minute() -> None:
    schedule = Schedule()
    schedule.failed(ServiceUnavailableError("later", retry_after=86_400.0), at(0.0), jitter=1.0)
    assert schedule.due.wall == 60.0
    refusal = schedule.refusal(at(1.0))
    assert refusal is not None
    assert refusal.retry_after == 59.0
    assert schedule.refusal(at(60.0)) is None
