import asyncio
import functools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.errors import PermissionDeniedError, ServiceUnavailableError
from shared.keys.access_key import AccessKey, KeyState
from shared.keys.rotation import Verdict
from shared.keys.schedule import FetchedKey, Moment
from shared.keys.thread import RotationThread

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

    def fetch(self) -> FetchedKey:
        assert self.open.wait(10)
        with self._called:
            self.calls += 1
            self._called.notify_all()
        if self.error is not None:
            raise self.error
        key = AccessKey(f"key-{self.calls}", b"secret", self._clock())
        return FetchedKey(key, Moment(self._clock(), time.monotonic()))

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
def rotation(clock: Clock, api: AuthApi) -> Iterator[RotationThread]:
    rotation = RotationThread(api.fetch, clock=clock, jitter=lambda: 0.0)
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


def test_nothing_is_fetched_before_it_is_needed(rotation: RotationThread, api: AuthApi) -> None:
    assert rotation.current() is None
    assert api.calls == 0


def test_many_threads_at_a_cold_start_cause_one_fetch(
    rotation: RotationThread, api: AuthApi
) -> None:
    api.open.clear()
    with ThreadPoolExecutor(50) as threads:
        waiting = [threads.submit(rotation.get, 10.0) for _ in range(50)]
        api.open.set()
        keys = {each.result() for each in waiting}
    assert len(keys) == 1
    assert api.calls == 1


async def test_many_tasks_at_a_cold_start_cause_one_fetch(
    rotation: RotationThread, api: AuthApi
) -> None:
    api.open.clear()
    waiting = [asyncio.create_task(rotation.get_async(10.0)) for _ in range(1000)]
    await asyncio.sleep(0)
    api.open.set()
    assert len(set(await asyncio.gather(*waiting))) == 1
    assert api.calls == 1


async def test_one_who_gives_up_does_not_take_the_key_from_the_others(
    rotation: RotationThread, api: AuthApi
) -> None:
    api.open.clear()
    patient = asyncio.create_task(rotation.get_async(10.0))
    await asyncio.sleep(0)
    with pytest.raises(ServiceUnavailableError, match=r"within 0\.01 s"):
        await rotation.get_async(0.01)
    api.open.set()
    assert (await patient).key_id == "key-1"


def test_a_blocking_caller_gives_up_too(rotation: RotationThread, api: AuthApi) -> None:
    api.open.clear()
    with pytest.raises(ServiceUnavailableError, match="No access key within"):
        rotation.get(0.01)


def test_at_sixty_minutes_a_new_key_comes_behind_the_callers_backs(
    rotation: RotationThread, api: AuthApi, clock: Clock
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
    rotation: RotationThread, api: AuthApi, clock: Clock
) -> None:
    first = rotation.get(10.0)
    clock.now += 59.9 * MINUTE
    assert rotation.current() is first
    assert api.calls == 1


def test_an_instance_that_was_frozen_for_hours_waits_for_a_new_key(
    rotation: RotationThread, clock: Clock
) -> None:
    rotation.get(10.0)
    clock.now += 5 * 60 * MINUTE
    assert rotation.current() is None
    assert rotation.get(10.0).key_id == "key-2"


def test_a_failed_rotation_keeps_the_old_key_until_it_expires(
    rotation: RotationThread, api: AuthApi, clock: Clock
) -> None:
    first = rotation.get(10.0)
    api.error = ServiceUnavailableError("down")
    clock.now += 60 * MINUTE
    assert rotation.current() is first
    api.wait_for_calls(2)
    eventually(lambda: rotation.state.error is not None)
    clock.now = first.expires_at - 2
    assert rotation.current() is first
    clock.now = first.expires_at - 1
    assert rotation.current() is None, "no token could be valid for a whole second"


def test_a_failed_cold_start_is_told_with_its_cause_and_heals_by_itself(
    rotation: RotationThread, api: AuthApi, clock: Clock
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
    rotation: RotationThread, api: AuthApi, clock: Clock
) -> None:
    api.error = RuntimeError("a bug")
    with pytest.raises(ServiceUnavailableError, match="RuntimeError: a bug"):
        rotation.get(10.0)
    api.error = None
    clock.now += 1.0
    assert rotation.get(10.0).key_id == "key-2"


def test_a_new_key_is_taken_when_the_service_knows_it(api: AuthApi, clock: Clock) -> None:
    known = {"key-1"}
    rotation = RotationThread(
        api.fetch,
        lambda key: Verdict.KNOWN if key.key_id in known else Verdict.UNKNOWN,
        clock=clock,
        jitter=lambda: 0.0,
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


def test_a_revoked_key_is_noticed_within_five_minutes(
    api: AuthApi, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    revoked: set[str] = set()
    rotation = RotationThread(
        api.fetch,
        lambda key: Verdict.UNKNOWN if key.key_id in revoked else Verdict.KNOWN,
        clock=clock,
        jitter=lambda: 0.0,
    )
    try:
        rotation.get(10.0)
        revoked.add("key-1")
        clock.now += 5 * MINUTE - 1
        assert rotation.current() is not None
        assert api.calls == 1, "nobody asks sooner"
        clock.now += 1
        assert rotation.current() is not None, "the caller does not wait for the check"
        eventually(lambda: rotation.get(0.0).key_id == "key-2")
    finally:
        rotation.close()
    assert "does not accept the access key any more" in caplog.text


def test_a_check_that_fails_leaves_the_key_in_use(api: AuthApi, clock: Clock) -> None:
    asked: list[str] = []

    def prove(key: AccessKey) -> Verdict:
        asked.append(key.key_id)
        raise RuntimeError("no answer")

    def has_asked(times: int) -> bool:
        return len(asked) == times

    rotation = RotationThread(api.fetch, prove, clock=clock, jitter=lambda: 0.0)
    try:
        rotation.get(10.0)
        for checks in (1, 2):
            clock.now += 5 * MINUTE
            rotation.current()
            eventually(functools.partial(has_asked, checks))
        assert rotation.get(0.0).key_id == "key-1"
        assert api.calls == 1
    finally:
        rotation.close()


def test_the_state_says_what_an_operator_asks(rotation: RotationThread, clock: Clock) -> None:
    assert rotation.state == KeyState(None, None, 0.0, None)
    rotation.get(10.0)
    clock.now += 10 * MINUTE
    state = rotation.state
    assert (state.key_id, state.age, state.error) == ("key-1", 600.0, None)
    assert state.next_refresh == pytest.approx(50 * MINUTE, abs=1.0)


def test_a_late_role_is_noticed_with_the_callers_next_request(
    rotation: RotationThread, api: AuthApi, clock: Clock
) -> None:
    api.error = PermissionDeniedError("role missing")
    for _ in range(6):
        with pytest.raises(ServiceUnavailableError):
            rotation.get(10.0)
        clock.now += 2.0
    api.error = None
    assert rotation.get(10.0).key_id == "key-7"


def test_a_child_process_rotates_the_key_that_it_was_born_with(
    rotation: RotationThread, clock: Clock
) -> None:
    first = rotation.get(10.0)
    rotation.after_fork()
    assert rotation.current() is first
    clock.now += 60 * MINUTE
    assert rotation.current() is first
    eventually(lambda: rotation.current() != first)


def test_a_thread_that_is_refused_is_asked_for_again_by_the_next_caller(
    api: AuthApi, clock: Clock
) -> None:
    refusals = iter([True, True, False])

    def spawn(work: Callable[[], None]) -> None:
        if next(refusals):
            raise RuntimeError("can't start new thread")
        threading.Thread(target=work, daemon=True).start()

    rotation = RotationThread(api.fetch, clock=clock, spawn=spawn)
    try:
        for _ in range(2):
            with pytest.raises(ServiceUnavailableError, match="can't start new thread") as caught:
                rotation.get(10.0)
            assert caught.value.retry_after == 1
        assert rotation.get(10.0).key_id == "key-1"
    finally:
        rotation.close()


def test_a_child_process_that_gets_no_thread_at_first_gets_a_key_later(
    api: AuthApi, clock: Clock
) -> None:
    are_refused = False

    def spawn(work: Callable[[], None]) -> None:
        if are_refused:
            raise RuntimeError("can't start new thread")
        threading.Thread(target=work, daemon=True).start()

    rotation = RotationThread(api.fetch, clock=clock, spawn=spawn)
    try:
        first = rotation.get(10.0)
        rotation.after_fork()
        are_refused = True
        clock.now += 60 * MINUTE
        assert rotation.current() is not None, "the key is good for half an hour"
        are_refused = False
        eventually(lambda: rotation.current() != first)
    finally:
        rotation.close()


def test_closing_tells_those_who_wait_and_waits_for_no_fetch_that_hangs(
    api: AuthApi, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.keys.thread._LONGEST_STOP", 0.05)
    api.open.clear()
    rotation = RotationThread(api.fetch, clock=clock)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(rotation.get, 60.0)
        eventually(lambda: rotation.is_stalled or threading.active_count() > 1)
        rotation.close()
        with pytest.raises(ServiceUnavailableError, match="closed"):
            waiting.result(5.0)
    with pytest.raises(ServiceUnavailableError, match="closed"):
        rotation.get(60.0)
    api.open.set()


def test_logging_that_fails_keeps_no_key_from_those_who_wait(
    rotation: RotationThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a filter of the app")

    monkeypatch.setattr("shared.keys.thread._logger.info", fail)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    assert rotation.get(10.0).key_id == "key-1"
