"""When the access key is fetched: at first need, once an hour, and again after a failure.

`Schedule` decides and has neither thread nor clock of its own. `AccessKeyRotation` is the edge
that owns the time and the one background thread.
"""

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, NamedTuple

from shared.access_key import AccessKey
from shared.errors import PermissionDeniedError, ServiceError, ServiceUnavailableError
from shared.retry import backoff

__all__ = ["AccessKeyRotation", "KeyState", "Moment", "Schedule"]

_logger = logging.getLogger(__name__)

_ROTATE_AFTER: Final = 60 * 60
"""Seconds after which a key is replaced, as the service's documentation recommends."""

_ROTATION_SPREAD: Final = 5 * 60
"""Most seconds by which a rotation comes early, so that instances do not rotate together."""

_FIRST_RETRY: Final = 1.0
_LONGEST_RETRY: Final = 30.0
"""Seconds between tries while nobody asks."""

_SOONEST_RETRY: Final = 2.0
"""Seconds after a refusal from which a caller's request starts another try at once, so that a role
assignment that lands late is noticed with the caller's next request."""

_LONGEST_SLEEP: Final = 30.0
"""Seconds after which the thread looks at the clock again: a frozen instance's timers stand still
while the clock runs on."""


class Moment(NamedTuple):
    """A point in time by two clocks, since either can be wrong.

    The wall clock can be set, and the steady one stands still while a machine sleeps. Whichever of
    them says that a time has come is believed.

    Args:
        wall: Epoch seconds.
        steady: Seconds of a clock that is never set.
    """

    wall: float
    steady: float

    def after(self, seconds: float) -> "Moment":
        """Return the moment so many seconds later."""
        return Moment(self.wall + seconds, self.steady + seconds)

    def reached(self, now: "Moment") -> bool:
        """Tell whether it is over by one of the clocks."""
        return now.wall >= self.wall or now.steady >= self.steady

    def seconds_from(self, now: "Moment") -> float:
        """Return the seconds until it is over; negative when it is."""
        return min(self.wall - now.wall, self.steady - now.steady)


_NOW: Final = Moment(0.0, 0.0)
"""A moment that is over whatever the clocks say."""


@dataclass(frozen=True, slots=True)
class KeyState:
    """What an operator wants to know of a key.

    Args:
        key_id: The service's name for it, or `None` while there is none.
        age: Seconds since it was asked for.
        next_refresh: Seconds until the next one is asked for.
        error: Why the last attempt failed, or `None` when it did not.
    """

    key_id: str | None
    age: float | None
    next_refresh: float
    error: ServiceError | None


@dataclass(slots=True)
class Schedule:
    """What is known of the key, and when the next fetch is due."""

    key: AccessKey | None = None
    obtained: Moment = _NOW
    expires: Moment = _NOW
    due: Moment = _NOW
    due_on_demand: Moment = _NOW
    error: ServiceError | None = None
    failures: int = 0

    def usable(self, now: Moment) -> AccessKey | None:
        """Return the key if the service still accepts what it signs."""
        return None if self.key is None or self.expires.reached(now) else self.key

    def is_fresh(self, wall: float, steady: float) -> bool:
        """Tell whether the key is usable and no fetch is due, which is so nearly always."""
        return (
            self.obtained[0] <= wall < self.due[0]
            and steady < self.due[1]
            and wall < self.expires[0]
            and steady < self.expires[1]
        )

    def is_due(self, now: Moment) -> bool:
        """Tell whether a fetch is due: by the key's age, or since the wall clock was set back."""
        return self.due.reached(now) or now.wall < self.obtained.wall

    def succeeded(self, key: AccessKey, now: Moment, jitter: float) -> None:
        """Take a new key; `jitter` from 0 to 1 brings the next rotation forward."""
        self.key = key
        # It was asked for some time ago by the wall clock; the steady one is brought in line.
        self.obtained = now.after(min(0.0, key.obtained_at - now.wall))
        self.expires = self.obtained.after(key.lifetime)
        self.due = self.obtained.after(_ROTATE_AFTER - jitter * _ROTATION_SPREAD)
        self.error = None
        self.failures = 0

    def failed(self, error: ServiceError, now: Moment, jitter: float) -> None:
        """Keep what there is and come back later; `jitter` from 0 to 1 spreads instances."""
        self.failures += 1
        self.error = error
        # A clock that was set back makes a fetch due once, not until it has caught up.
        self.obtained = Moment(min(self.obtained.wall, now.wall), self.obtained.steady)
        asked = error.retry_after or 0.0
        delay = max(_FIRST_RETRY, backoff(self.failures, _FIRST_RETRY, _LONGEST_RETRY, jitter))
        self.due = now.after(max(delay, asked))
        soonest = _SOONEST_RETRY if isinstance(error, PermissionDeniedError) else delay
        self.due_on_demand = now.after(max(min(delay, soonest), asked))

    def refusal(self, now: Moment) -> ServiceError | None:
        """Return why there is no key, while a caller's request starts no other try."""
        if self.error is None or self.due_on_demand.reached(now):
            return None
        return _with_retry_after(self.error, self.due_on_demand.seconds_from(now))


class AccessKeyRotation:
    """Keeps a usable access key at hand.

    The first caller starts a background thread that fetches the key; whoever comes meanwhile waits
    for the same fetch. From then on the key is replaced behind the callers' backs.

    Args:
        fetch: Gets a new key, blocking. Raises `SignalRError`.
        prove: Asks the service whether it knows a key, blocking. A new key is proven before it
            replaces one that is still usable, since the service may hear of it late.
        clock: Current time in epoch seconds.
        steady: Current time in seconds of a clock that is never set.
        jitter: Random numbers from 0 to 1.
    """

    def __init__(
        self,
        fetch: Callable[[], AccessKey],
        prove: Callable[[AccessKey], bool] = lambda _: True,
        *,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._fetch = fetch
        self._prove = prove
        self._clock = clock
        self._steady = steady
        self._jitter = jitter
        self._schedule = Schedule()
        self._closed = False
        self._begin()

    def current(self) -> AccessKey | None:
        """Return the key if there is a usable one, and see to its rotation. Never blocks."""
        schedule = self._schedule
        now = (self._clock(), self._steady())
        if schedule.is_fresh(*now):
            return schedule.key
        return self._aging(Moment(*now))

    def get(self, timeout: float) -> AccessKey:
        """Return a usable key, waiting for the fetch that brings it.

        Args:
            timeout: Most seconds to wait.

        Raises:
            ServiceUnavailableError: The last fetch failed, and its error is the cause; or it takes
                longer than the timeout.
        """
        try:
            return self._request().result(timeout)
        except TimeoutError:
            raise _too_slow(timeout) from None

    async def get_async(self, timeout: float) -> AccessKey:  # noqa: ASYNC109  many wait on one fetch
        """Return a usable key: `get` for an event loop."""
        try:
            return await asyncio.wait_for(asyncio.wrap_future(self._request()), timeout)
        except TimeoutError:
            raise _too_slow(timeout) from None

    @property
    def state(self) -> KeyState:
        """What an operator wants to know."""
        schedule, now = self._schedule, self._now()
        key = schedule.usable(now)
        return KeyState(
            key_id=key.key_id if key else None,
            age=now.wall - key.obtained_at if key else None,
            next_refresh=max(0.0, schedule.due.seconds_from(now)),
            error=schedule.error,
        )

    def after_fork(self) -> None:
        """Make it usable in a child process, which has the key and not the thread."""
        self._begin()

    def close(self) -> None:
        """End the background thread."""
        self._closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._pending: Future[AccessKey] | None = None
        self._thread: threading.Thread | None = None

    def _now(self) -> Moment:
        return Moment(self._clock(), self._steady())

    def _request(self) -> Future[AccessKey]:
        """Return the outcome of the fetch under way, starting one if there is none."""
        with self._lock:
            now = self._now()
            key = self._schedule.usable(now)
            refusal = None if self._pending else self._schedule.refusal(now)
            if key is not None or refusal is not None:
                return _settled(key, refusal)
            if self._pending is None:
                self._pending = Future()
                # From here on it cannot be cancelled: one who gives up leaves it to the others.
                self._pending.set_running_or_notify_cancel()
            self._start()
            self._wake.set()
            return self._pending

    def _aging(self, now: Moment) -> AccessKey | None:
        """Return the key if it is usable still, and have the thread look after it."""
        if self._schedule.key is not None:
            if self._thread is None:
                with self._lock:
                    self._start()
            self._wake.set()
        return self._schedule.usable(now)

    def _start(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(
                target=self._rotate, name="signalr-access-key", daemon=True
            )
            self._thread.start()

    def _rotate(self) -> None:
        while not self._closed:
            now = self._now()
            if self._pending is not None or self._schedule.is_due(now):
                self._fetch_once(now)
            else:
                self._wake.wait(min(self._schedule.due.seconds_from(now), _LONGEST_SLEEP))
                self._wake.clear()

    def _fetch_once(self, now: Moment) -> None:
        try:
            key = self._fetch()
            if self._schedule.usable(now) is not None and not self._prove(key):
                self._settle(None, _unknown(key))
                return
        except ServiceError as error:
            self._settle(None, error)
        except Exception as error:
            # The thread must live on, and the callers must hear of it.
            _logger.exception("The access key could not be fetched")
            self._settle(None, ServiceUnavailableError(f"{type(error).__name__}: {error}"))
        else:
            self._settle(key, None)

    def _settle(self, key: AccessKey | None, error: ServiceError | None) -> None:
        with self._lock:
            schedule, now = self._schedule, self._now()
            if key is not None:
                schedule.succeeded(key, now, self._jitter())
                _logger.info("Access key %s in use, to be rotated in an hour", key.key_id)
            if error is not None:
                schedule.failed(error, now, self._jitter())
                _logger.error(
                    "No new access key, next try in %.0f s: %s",
                    schedule.due.seconds_from(now),
                    error,
                )
            pending, self._pending = self._pending, None
        if pending is None:
            return
        if key is not None:
            pending.set_result(key)
        elif error is not None:
            wait = schedule.due_on_demand.seconds_from(now)
            pending.set_exception(_with_retry_after(error, wait))


def _settled(key: AccessKey | None, error: ServiceError | None) -> Future[AccessKey]:
    future: Future[AccessKey] = Future()
    if key is not None:
        future.set_result(key)
    else:
        future.set_exception(error)
    return future


def _with_retry_after(error: ServiceError, seconds: float) -> ServiceUnavailableError:
    """Tell callers when the next try is over; what happened stays the cause."""
    unavailable = ServiceUnavailableError(
        f"No access key: {error}",
        endpoint=error.endpoint,
        status=error.status,
        code=error.code,
        request_id=error.request_id,
        retry_after=max(seconds, 1.0),
    )
    unavailable.__cause__ = error
    return unavailable


def _unknown(key: AccessKey) -> ServiceUnavailableError:
    return ServiceUnavailableError(
        f"The service does not accept its new access key {key.key_id} yet, so the old one stays in"
        " use. If this goes on, look at this machine's clock"
    )


def _too_slow(timeout: float) -> ServiceUnavailableError:
    return ServiceUnavailableError(f"No access key within {timeout:g} s", retry_after=timeout)
