import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.access_key import AccessKey
from shared.errors import PermissionDeniedError, ServiceUnavailableError
from shared.rotation import AccessKeyRotation, KeyState, Moment, Schedule

MINUTE = 60.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class AuthApi:
    """Gives a new key at each call, or fails, and lets a test wait for calls."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.calls = 0
        self.error: Exception | None = None
        self.open = threading.Event()
        self.open.set()
        self._called = threading.Condition()

    def fetch(self) -> AccessKey:
        assert self.open.wait(10)
        with self._called:
            self.calls += 1
            self._called.notify_all()
        if self.error is not None:
            raise self.error
        return AccessKey(f"key-{self.calls}", b"secret", self._clock())

    def wait_for_calls(self, calls: int) -> None:
        with self._called:
            assert self._called.wait_for(lambda: self.calls >= calls, timeout=10)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(clock: Clock) -> AuthApi:
    return AuthApi(clock)


@pytest.fixture
def rotation(clock: Clock, api: AuthApi) -> Iterator[AccessKeyRotation]:
    rotation = AccessKeyRotation(api.fetch, clock=clock, jitter=lambda: 0.0)
    yield rotation
    api.open.set()
    rotation.close()


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does right after an event that a test can see."""
    deadline = threading.Event()
    for _ in range(1000):
        if condition():
            return
        deadline.wait(0.01)
    pytest.fail("it never happened")


def test_nothing_is_fetched_before_it_is_needed(rotation: AccessKeyRotation, api: AuthApi) -> None:
    assert rotation.current() is None
    assert api.calls == 0


def test_many_threads_at_a_cold_start_cause_one_fetch(
    rotation: AccessKeyRotation, api: AuthApi
) -> None:
    api.open.clear()
    with ThreadPoolExecutor(50) as threads:
        waiting = [threads.submit(rotation.get, 10.0) for _ in range(50)]
        api.open.set()
        keys = {each.result() for each in waiting}
    assert len(keys) == 1
    assert api.calls == 1


async def test_many_tasks_at_a_cold_start_cause_one_fetch(
    rotation: AccessKeyRotation, api: AuthApi
) -> None:
    api.open.clear()
    waiting = [asyncio.create_task(rotation.get_async(10.0)) for _ in range(1000)]
    await asyncio.sleep(0)
    api.open.set()
    assert len(set(await asyncio.gather(*waiting))) == 1
    assert api.calls == 1


async def test_one_who_gives_up_does_not_take_the_key_from_the_others(
    rotation: AccessKeyRotation, api: AuthApi
) -> None:
    api.open.clear()
    patient = asyncio.create_task(rotation.get_async(10.0))
    await asyncio.sleep(0)
    with pytest.raises(ServiceUnavailableError, match=r"within 0\.01 s"):
        await rotation.get_async(0.01)
    api.open.set()
    assert (await patient).key_id == "key-1"


def test_a_blocking_caller_gives_up_too(rotation: AccessKeyRotation, api: AuthApi) -> None:
    api.open.clear()
    with pytest.raises(ServiceUnavailableError, match="No access key within"):
        rotation.get(0.01)


def test_at_sixty_minutes_a_new_key_comes_behind_the_callers_backs(
    rotation: AccessKeyRotation, api: AuthApi, clock: Clock
) -> None:
    first = rotation.get(10.0)
    clock.now += 60 * MINUTE
    api.open.clear()
    assert rotation.current() is first
    assert rotation.get(0.0) is first
    api.open.set()
    api.wait_for_calls(2)
    eventually(lambda: rotation.current() != first)
    assert rotation.get(0.0).key_id == "key-2"


def test_before_sixty_minutes_nothing_happens(
    rotation: AccessKeyRotation, api: AuthApi, clock: Clock
) -> None:
    first = rotation.get(10.0)
    clock.now += 59.9 * MINUTE
    assert rotation.current() is first
    assert api.calls == 1


def test_an_instance_that_was_frozen_for_hours_waits_for_a_new_key(
    rotation: AccessKeyRotation, clock: Clock
) -> None:
    rotation.get(10.0)
    clock.now += 5 * 60 * MINUTE
    assert rotation.current() is None
    assert rotation.get(10.0).key_id == "key-2"


def test_a_failed_rotation_keeps_the_old_key_until_it_expires(
    rotation: AccessKeyRotation, api: AuthApi, clock: Clock
) -> None:
    first = rotation.get(10.0)
    api.error = ServiceUnavailableError("down")
    clock.now += 60 * MINUTE
    assert rotation.current() is first
    api.wait_for_calls(2)
    eventually(lambda: rotation.state.error is not None)
    clock.now = first.expires_at - 1
    assert rotation.current() is first
    clock.now = first.expires_at
    assert rotation.current() is None


def test_a_failed_cold_start_is_told_with_its_cause_and_heals_by_itself(
    rotation: AccessKeyRotation, api: AuthApi, clock: Clock
) -> None:
    api.error = PermissionDeniedError("role missing")
    with pytest.raises(ServiceUnavailableError, match="role missing") as caught:
        rotation.get(10.0)
    assert isinstance(caught.value.__cause__, PermissionDeniedError)
    assert caught.value.retry_after == 1.0
    assert rotation.state.error is not None

    with pytest.raises(ServiceUnavailableError, match="role missing"):
        rotation.get(10.0)
    assert api.calls == 1, "while the next try is not due, nobody asks again"

    api.error = None
    clock.now += 1.0
    assert rotation.get(10.0).key_id == "key-2"
    assert rotation.state.error is None


def test_an_unforeseen_error_does_not_end_the_rotation(
    rotation: AccessKeyRotation, api: AuthApi, clock: Clock
) -> None:
    api.error = RuntimeError("a bug")
    with pytest.raises(ServiceUnavailableError, match="RuntimeError: a bug"):
        rotation.get(10.0)
    api.error = None
    clock.now += 1.0
    assert rotation.get(10.0).key_id == "key-2"


def at(seconds: float) -> Moment:
    return Moment(seconds, seconds)


def test_schedule_backs_off_to_half_a_minute_and_honours_retry_after() -> None:
    schedule = Schedule()
    delays = []
    for _ in range(7):
        schedule.failed(ServiceUnavailableError("down"), at(0.0), jitter=1.0)
        delays.append(schedule.due.wall)
    assert delays == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    schedule.failed(ServiceUnavailableError("later", retry_after=100.0), at(0.0), jitter=1.0)
    assert schedule.due.wall == 100.0
    assert schedule.refusal(at(99.0)) is not None, "nobody asks before the service wants it"
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
    schedule.succeeded(key, at(0.0), jitter=0.0)
    assert schedule.due.wall == 60 * MINUTE
    schedule.succeeded(key, at(0.0), jitter=1.0)
    assert schedule.due.wall == 55 * MINUTE


def test_schedule_knows_a_key_for_ninety_minutes_by_either_clock() -> None:
    schedule = Schedule()
    schedule.succeeded(AccessKey("k", b"s", obtained_at=0.0), Moment(10.0, 510.0), jitter=0.0)
    assert schedule.usable(Moment(90 * MINUTE - 1, 0.0)) is not None
    assert schedule.usable(Moment(90 * MINUTE, 0.0)) is None
    assert schedule.usable(Moment(0.0, 90 * MINUTE + 499)) is not None
    assert schedule.usable(Moment(0.0, 90 * MINUTE + 500)) is None


def test_a_clock_that_is_set_back_makes_a_fetch_due_once() -> None:
    schedule = Schedule()
    schedule.succeeded(AccessKey("k", b"s", 7200.0), Moment(7200.0, 100.0), jitter=0.0)
    earlier = Moment(3600.0, 101.0)
    assert schedule.is_due(earlier)
    assert schedule.usable(earlier) is not None, "the key is as good as before"
    schedule.failed(ServiceUnavailableError("down"), earlier, jitter=1.0)
    assert not schedule.is_due(Moment(3600.5, 101.5))
    assert schedule.is_due(Moment(3601.0, 102.0))


def test_a_new_key_is_taken_when_the_service_knows_it(api: AuthApi, clock: Clock) -> None:
    known: set[str] = set()
    rotation = AccessKeyRotation(
        api.fetch, lambda key: key.key_id in known, clock=clock, jitter=lambda: 0.0
    )
    try:
        assert rotation.get(10.0).key_id == "key-1", "a first key is not kept waiting for"
        clock.now += 60 * MINUTE
        rotation.current()
        api.wait_for_calls(2)
        eventually(lambda: rotation.state.error is not None)
        assert "does not accept its new access key key-2" in str(rotation.state.error)
        assert rotation.get(0.0).key_id == "key-1"
        known.add("key-3")
        clock.now += 30.0
        rotation.current()
        eventually(lambda: rotation.get(0.0).key_id == "key-3")
        assert rotation.state.error is None
    finally:
        rotation.close()


def test_the_state_says_what_an_operator_asks(rotation: AccessKeyRotation, clock: Clock) -> None:
    assert rotation.state == KeyState(None, None, 0.0, None)
    rotation.get(10.0)
    clock.now += 10 * MINUTE
    state = rotation.state
    assert (state.key_id, state.age, state.error) == ("key-1", 600.0, None)
    assert state.next_refresh == pytest.approx(50 * MINUTE, abs=1.0)


def test_a_late_role_is_noticed_with_the_callers_next_request(
    rotation: AccessKeyRotation, api: AuthApi, clock: Clock
) -> None:
    api.error = PermissionDeniedError("role missing")
    for _ in range(6):
        with pytest.raises(ServiceUnavailableError):
            rotation.get(10.0)
        clock.now += 2.0
    api.error = None
    assert rotation.get(10.0).key_id == "key-7"


def test_a_child_process_rotates_the_key_that_it_was_born_with(
    rotation: AccessKeyRotation, clock: Clock
) -> None:
    first = rotation.get(10.0)
    rotation.after_fork()
    assert rotation.current() is first
    clock.now += 60 * MINUTE
    assert rotation.current() is first
    eventually(lambda: rotation.current() != first)
