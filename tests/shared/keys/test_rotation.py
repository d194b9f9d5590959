"""The rotation as a state machine: what follows from which event, at which moment."""

import pytest

from shared.errors import PermissionDeniedError, ServiceUnavailableError
from shared.keys.access_key import AccessKey
from shared.keys.rotation import Fetch, Prove, Rest, Rotation, Verdict
from shared.keys.schedule import FetchedKey, Moment

MINUTE = 60.0
END = 90 * MINUTE


def at(seconds: float) -> Moment:
    return Moment(seconds, seconds)


def fetched(name: str, asked: float) -> FetchedKey:
    return FetchedKey(AccessKey(name, b"s", asked), at(asked))


def with_key(name: str = "old") -> Rotation:
    rotation = Rotation()
    rotation.fetched(fetched(name, 0.0), at(0.0), jitter=0.0)
    return rotation


def name_of(key: object) -> str | None:
    assert key is None or isinstance(key, AccessKey), key
    return None if key is None else key.key_id


def test_nothing_is_done_until_somebody_comes_or_a_fetch_is_due() -> None:
    rotation = Rotation()
    assert rotation.asked(at(0.0)) is None, "the caller waits"
    assert rotation.next(at(0.0)) == Fetch()
    assert name_of(rotation.fetched(fetched("first", 0.0), at(1.0), 0.0)) == "first"
    assert isinstance(rotation.next(at(1.0)), Rest)
    assert rotation.next(at(60 * MINUTE)) == Fetch()


def test_a_new_key_is_proven_while_the_old_one_is_good_and_replaces_it_then() -> None:
    rotation = with_key()
    now = at(60 * MINUTE)
    new = fetched("new", 60 * MINUTE)
    assert rotation.fetched(new, now, 0.0) is None
    assert rotation.next(now) == Prove(new.key)
    assert name_of(rotation.usable(now)) == "old"
    rotation.proven(new.key, Verdict.KNOWN, now, 0.0)
    assert name_of(rotation.usable(now)) == "new"


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_key_whose_trial_took_longer_than_the_old_one_lived_is_used(verdict: Verdict) -> None:
    """Whether there is an old key to fall back on is asked when the answer is there."""
    rotation = with_key()
    new = fetched("new", 60 * MINUTE)
    rotation.fetched(new, at(60 * MINUTE), 0.0)
    later = at(60 * MINUTE + 3_660.0)
    rotation.proven(new.key, verdict, later, 0.0)
    assert name_of(rotation.asked(later)) == "new"


def test_a_key_that_the_service_does_not_know_yet_is_at_hand_when_the_old_one_ends() -> None:
    rotation = with_key()
    new = fetched("new", 89 * MINUTE)
    rotation.fetched(new, at(89 * MINUTE), 0.0)
    rotation.proven(new.key, Verdict.UNKNOWN, at(89 * MINUTE), jitter=1.0)
    assert name_of(rotation.asked(at(END - 2))) == "old"
    assert name_of(rotation.asked(at(END))) == "new", "nobody is refused"
    assert rotation.next(at(END)) == Rest(30.0)
    assert rotation.next(at(END + 30.0)) == Prove(new.key), "and soon it is tried again"


def test_a_key_that_ended_on_its_way_is_asked_for_again_at_once_and_never_used() -> None:
    rotation = Rotation()
    rotation.asked(at(0.0))
    thawed = at(2 * 60 * MINUTE)
    assert rotation.fetched(fetched("ended", 0.0), thawed, 0.0) is None, "the caller waits on"
    assert rotation.usable(thawed) is None
    assert rotation.next(thawed) == Fetch()
    told = rotation.fetched(fetched("again", 0.0), thawed, 0.0)
    assert isinstance(told, ServiceUnavailableError), "twice in a row is a failure"
    assert "had ended when it came" in str(told)
    assert isinstance(rotation.next(thawed), Rest)


def test_a_clock_that_is_set_back_during_a_fetch_makes_no_key_younger() -> None:
    rotation = Rotation()
    asked = Moment(3_600.0, 100.0)
    key = FetchedKey(AccessKey("key", b"s", 3_600.0), asked)
    rotation.fetched(key, Moment(0.0, 101.0), 0.0)
    in_use = rotation.usable(Moment(1.0, 102.0))
    assert in_use is not None
    assert in_use.expires_at == END


def test_who_waits_is_told_why_there_is_no_key_and_when_to_come_back() -> None:
    rotation = Rotation()
    rotation.asked(at(0.0))
    told = rotation.refused(PermissionDeniedError("role"), at(0.0), jitter=1.0)
    assert isinstance(told, ServiceUnavailableError)
    assert isinstance(told.__cause__, PermissionDeniedError)
    assert told.retry_after == 1.0
    again = rotation.asked(at(0.5))
    assert isinstance(again, ServiceUnavailableError), "nobody asks before that"


def test_a_failed_check_of_the_key_in_use_has_another_one_fetched() -> None:
    rotation = with_key()
    now = at(5 * MINUTE)
    action = rotation.next(now)
    assert isinstance(action, Prove)
    rotation.proven(action.key, Verdict.UNKNOWN, now, 0.0)
    assert rotation.next(now) == Fetch()
    assert name_of(rotation.usable(now)) == "old"


def test_a_check_without_an_answer_changes_nothing() -> None:
    rotation = with_key()
    action = rotation.next(at(5 * MINUTE))
    assert isinstance(action, Prove)
    rotation.proven(action.key, Verdict.UNSURE, at(5 * MINUTE), 0.0)
    assert isinstance(rotation.next(at(5 * MINUTE)), Rest)


def test_a_key_that_has_ended_is_not_checked() -> None:
    rotation = with_key()
    rotation.schedule.failed(ServiceUnavailableError("down"), at(END), jitter=1.0)
    action = rotation.next(at(END))
    assert isinstance(action, Rest)
    assert action.seconds > 0
