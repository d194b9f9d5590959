"""Keeps an access key at hand: a thin shell of thread, clocks and waiting callers.

`keys.rotation` decides what is done, and when.
"""

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from ..errors import ServiceError, ServiceUnavailableError
from ..telemetry import log_fields
from .access_key import AccessKey, KeyState
from .rotation import Fetch, Prove, Rest, Rotation, Told, Verdict
from .schedule import FetchedKey, Moment

__all__ = ["RotationThread", "spawn_thread"]

_logger = logging.getLogger(__name__)

_LONGEST_STOP: Final = 2.0
"""Seconds that closing waits for a request that is under way."""

_STALLED_AFTER: Final = 0.5
"""Seconds after which a fetch counts as one that hangs, for those who can go elsewhere."""


def spawn_thread(work: Callable[[], None]) -> None:
    """Run something in a daemon thread; raises `RuntimeError` where there is none to have."""
    threading.Thread(target=work, name="signalr-access-key", daemon=True).start()


class RotationThread:
    """Keeps a usable access key at hand.

    The first caller starts a background thread that fetches the key; whoever comes meanwhile waits
    for the same fetch. From then on the key is replaced behind the callers' backs.

    Args:
        fetch: Gets a new key, blocking. Raises `SignalRError`.
        prove: Asks the service whether it knows a key, blocking. A new key is proven before it
            replaces one that is still usable, since the service may hear of it late; and the key
            in use now and then, since the service may have revoked it.
        clock: Current time in epoch seconds.
        steady: Current time in seconds of a clock that is never set.
        jitter: Random numbers from 0 to 1.
        endpoint: Name of the endpoint, for the log.
        spawn: Runs something in a thread of its own. Raises `RuntimeError` where the system has
            none to give.
    """

    def __init__(
        self,
        fetch: Callable[[], FetchedKey],
        prove: Callable[[AccessKey], Verdict] = lambda _: Verdict.KNOWN,
        *,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        endpoint: str = "",
        spawn: Callable[[Callable[[], None]], None] = spawn_thread,
    ) -> None:
        self._fetch = fetch
        self._prove = prove
        self._clock = clock
        self._steady = steady
        self._jitter = jitter
        self._endpoint = endpoint
        self._spawn = spawn
        self._rotation = Rotation()
        self._schedule = self._rotation.schedule
        self._is_closed = False
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._pending: Future[AccessKey] | None = None
        self._is_running = False
        self._fetching_since: float | None = None

    def current(self) -> AccessKey | None:
        """Return the key if there is a usable one, and see to its rotation. Never blocks."""
        schedule = self._schedule
        wall, steady = self._clock(), self._steady()
        if schedule.is_fresh(wall, steady):
            return schedule.key
        return self._aging(Moment(wall, steady))

    def warm_up(self) -> None:
        """Start the fetch of the first key, and return without waiting for it."""
        self.ask()

    def get(self, timeout: float) -> AccessKey:
        """Return a usable key, waiting for the fetch that brings it.

        Args:
            timeout: Most seconds to wait.

        Raises:
            ServiceUnavailableError: The last fetch failed, and its error is the cause; or it takes
                longer than the timeout.
        """
        try:
            return self.ask().result(timeout)
        except TimeoutError:
            raise _too_slow(timeout) from None

    async def get_async(self, timeout: float) -> AccessKey:  # noqa: ASYNC109  many wait on one fetch
        """Return a usable key: `get` for an event loop."""
        try:
            return await asyncio.wait_for(asyncio.wrap_future(self.ask()), timeout)
        except TimeoutError:
            raise _too_slow(timeout) from None

    @property
    def error(self) -> ServiceError | None:
        """Why the last attempt to get a key failed, or `None` when it did not."""
        return self._schedule.error

    @property
    def is_stalled(self) -> bool:
        """Whether there is no key, and the service takes its time to give one."""
        began = self._fetching_since
        return (
            began is not None
            and self._steady() - began > _STALLED_AFTER
            and self._schedule.usable(self._now()) is None
        )

    @property
    def state(self) -> KeyState:
        """What an operator wants to know."""
        schedule, now = self._schedule, self._now()
        key = schedule.usable(now)
        return KeyState(
            key_id=key.key_id if key else None,
            age=now.wall - key.obtained_at if key else None,
            next_refresh=max(0.0, schedule.due.seconds_from(now)),
            error=self.error,
        )

    def after_fork(self) -> None:
        """Make it usable in a child process, which has the key and not the thread."""
        self._rotation.interrupted()
        self._begin()

    def close(self) -> None:
        """End the background thread, and tell those who still wait.

        A request under way is waited for, for two seconds at most; after that it ends alone.
        """
        with self._lock:
            self._is_closed = True
            pending, self._pending = self._pending, None
            was_running = self._is_running
        if pending is not None:
            pending.set_exception(_closed())
        self._wake.set()
        if was_running:
            self._stopped.wait(_LONGEST_STOP)

    def run_once(self) -> float:
        """Do what is to be done now, and return for how many seconds there is nothing to do."""
        with self._lock:
            now = self._now()
            action = self._rotation.next(now)
        match action:
            case Fetch():
                self._fetch_once()
            case Prove(key):
                self._prove_once(key)
            case Rest(seconds):
                return seconds
        return 0.0

    def _now(self) -> Moment:
        return Moment(self._clock(), self._steady())

    def ask(self) -> Future[AccessKey]:
        """Return the outcome of the fetch under way, starting one if there is none."""
        with self._lock:
            if self._is_closed:
                return _settled(_closed())
            told = self._rotation.asked(self._now())
            if told is not None:
                return _settled(told)
            if self._pending is None:
                self._pending = Future()
                # From here on it cannot be cancelled: one who gives up leaves it to the others.
                self._pending.set_running_or_notify_cancel()
            pending = self._pending
            refused = self._start()
            if refused is not None:
                self._pending = None
                self._rotation.interrupted()
                pending.set_exception(refused)
        self._wake.set()
        return pending

    def _aging(self, now: Moment) -> AccessKey | None:
        """Return the key if it is usable still, and have the thread look after it."""
        with self._lock:
            key = self._rotation.usable(now)
            if self._schedule.key is None or self._is_closed:
                return key
            # Where the system has no thread to give, the next caller tries again.
            self._start()
        self._wake.set()
        return key

    def _start(self) -> ServiceUnavailableError | None:
        """Start the thread if it does not run, or return why it cannot be."""
        if self._is_running:
            return None
        self._stopped.clear()
        try:
            self._spawn(self._run)
        except RuntimeError as error:
            _logger.warning(
                "No thread for the access key, tried again with the next caller: %s",
                error,
                extra=self._log_fields(),
            )
            return ServiceUnavailableError(f"No thread for the access key: {error}", retry_after=1)
        # Not before, so that a thread that was refused is not taken for one that runs.
        self._is_running = True
        return None

    def _run(self) -> None:
        wake, stopped, lock = self._wake, self._stopped, self._lock
        try:
            while not self._is_closed:
                rest = self.run_once()
                if rest > 0:
                    wake.wait(rest)
                    wake.clear()
        finally:
            with lock:
                self._is_running = False
            stopped.set()

    def _fetch_once(self) -> None:
        self._fetching_since = self._steady()
        fetched: FetchedKey | None = None
        failure: ServiceError
        try:
            fetched = self._fetch()
        except ServiceError as error:
            failure = error
        except Exception as error:
            # The thread must live on, and the callers must hear of it.
            _logger.exception("The access key could not be fetched", extra=self._log_fields())
            failure = ServiceUnavailableError(f"{type(error).__name__}: {error}")
        finally:
            self._fetching_since = None
        if fetched is None:
            self._take(lambda now: self._rotation.refused(failure, now, self._jitter()))
        else:
            came = fetched
            self._take(lambda now: self._rotation.fetched(came, now, self._jitter()))

    def _prove_once(self, key: AccessKey) -> None:
        try:
            verdict = self._prove(key)
        except Exception:
            # The thread must live on, and a key that cannot be tried is used.
            _logger.exception("The access key could not be tried", extra=self._log_fields())
            verdict = Verdict.UNSURE
        if verdict is Verdict.UNKNOWN and key == self._schedule.key:
            _logger.warning(
                "The service does not accept the access key any more, so another one is fetched",
                extra=self._log_fields(),
            )
        self._take(lambda now: self._rotation.proven(key, verdict, now, self._jitter()))

    def _take(self, event: Callable[[Moment], Told]) -> None:
        """Feed an event to the rotation, tell those who wait, and write down what is new."""
        with self._lock:
            now = self._now()
            key, failures = self._schedule.key, self._schedule.failures
            told = event(now)
            pending = None
            if told is not None:
                pending, self._pending = self._pending, None
        try:
            self._log(key, failures, now)
        finally:
            # Also where a filter of the app's logging raises.
            if pending is not None:
                _settle(pending, told)

    def _log(self, key: AccessKey | None, failures: int, now: Moment) -> None:
        schedule = self._schedule
        if schedule.key is not None and schedule.key is not key:
            _logger.info(
                "Access key %s in use, to be rotated in an hour",
                schedule.key.key_id,
                extra=self._log_fields(),
            )
        if schedule.failures > failures and schedule.error is not None:
            # The first, second, fourth … in a row: an outage of hours must not fill the log.
            often = schedule.failures & (schedule.failures - 1)
            _logger.log(
                logging.DEBUG if often else logging.ERROR,
                "No new access key, next try in %.0f s: %s",
                schedule.due.seconds_from(now),
                schedule.error,
                extra=self._log_fields(schedule.error),
            )

    def _log_fields(self, error: ServiceError | None = None) -> dict[str, str | int]:
        return log_fields(error, endpoint=self._endpoint)


def _settled(told: Told) -> Future[AccessKey]:
    future: Future[AccessKey] = Future()
    _settle(future, told)
    return future


def _settle(future: Future[AccessKey], told: Told) -> None:
    if isinstance(told, AccessKey):
        future.set_result(told)
    else:
        future.set_exception(told)


def _closed() -> ServiceUnavailableError:
    return ServiceUnavailableError("The client is closed")


def _too_slow(timeout: float) -> ServiceUnavailableError:
    return ServiceUnavailableError(f"No access key within {timeout:g} s", retry_after=timeout)
