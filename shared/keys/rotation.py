"""Keeps an access key at hand: the edge that owns the time and the one background thread.

`shared.key_schedule` decides when a key is fetched: at first need, once an hour, again after a
failure, and when a check shows that the service does not know it any more.
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
from ..telemetry.log import log_fields
from .access_key import AccessKey
from .schedule import Moment, Schedule, no_key
from .state import KeyState

__all__ = ["AccessKeyRotation"]

_logger = logging.getLogger(__name__)

_LONGEST_SLEEP: Final = 30.0
"""Seconds after which the thread looks at the clock again: a frozen instance's timers stand still
while the clock runs on."""


class AccessKeyRotation:
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
    """

    def __init__(
        self,
        fetch: Callable[[], AccessKey],
        prove: Callable[[AccessKey], bool] = lambda _: True,
        *,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        endpoint: str = "",
    ) -> None:
        self._fetch = fetch
        self._prove = prove
        self._clock = clock
        self._steady = steady
        self._jitter = jitter
        self._endpoint = endpoint
        self._schedule = Schedule()
        self._closed = False
        self._begin()

    def current(self) -> AccessKey | None:
        """Return the key if there is a usable one, and see to its rotation. Never blocks."""
        schedule = self._schedule
        wall, steady = self._clock(), self._steady()
        if schedule.is_fresh(wall, steady):
            return schedule.key
        return self._aging(Moment(wall, steady))

    def warm_up(self) -> None:
        """Start the fetch of the first key, and return without waiting for it."""
        self._request()

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
    def error(self) -> ServiceError | None:
        """Why the last attempt to get a key failed, or `None` when it did not."""
        return self._schedule.error

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
            elif self._schedule.is_check_due(now):
                self._check_once(now)
            else:
                self._wake.wait(min(self._schedule.next.seconds_from(now), _LONGEST_SLEEP))
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
            _logger.exception("The access key could not be fetched", extra=self._log_fields())
            self._settle(None, ServiceUnavailableError(f"{type(error).__name__}: {error}"))
        else:
            self._settle(key, None)

    def _check_once(self, now: Moment) -> None:
        key = self._schedule.usable(now)
        try:
            is_known = key is None or self._prove(key)
        except Exception:
            # The thread must live on, and a key that cannot be checked is used as before.
            _logger.exception("The access key could not be checked", extra=self._log_fields())
            is_known = True
        with self._lock:
            checked = self._now()
            self._schedule.checked(checked)
            if is_known:
                return
            self._schedule.disowned(checked)
        _logger.warning(
            "The service does not accept the access key any more, so another one is fetched",
            extra=self._log_fields(),
        )

    def _settle(self, key: AccessKey | None, error: ServiceError | None) -> None:
        with self._lock:
            schedule, now = self._schedule, self._now()
            if key is not None:
                schedule.succeeded(key, now, self._jitter())
                _logger.info(
                    "Access key %s in use, to be rotated in an hour",
                    key.key_id,
                    extra=self._log_fields(),
                )
            if error is not None:
                schedule.failed(error, now, self._jitter())
                # The first, second, fourth … in a row: an outage of hours must not fill the log.
                often = schedule.failures & (schedule.failures - 1)
                _logger.log(
                    logging.DEBUG if often else logging.ERROR,
                    "No new access key, next try in %.0f s: %s",
                    schedule.due.seconds_from(now),
                    error,
                    extra=self._log_fields(error),
                )
            pending, self._pending = self._pending, None
        if pending is None:
            return
        if key is not None:
            pending.set_result(key)
        elif error is not None:
            wait = schedule.due_on_demand.seconds_from(now)
            pending.set_exception(no_key(error, wait))

    def _log_fields(self, error: ServiceError | None = None) -> dict[str, str | int]:
        return log_fields(error, endpoint=self._endpoint)


def _settled(key: AccessKey | None, error: ServiceError | None) -> Future[AccessKey]:
    future: Future[AccessKey] = Future()
    if key is not None:
        future.set_result(key)
    else:
        future.set_exception(error)
    return future


def _unknown(key: AccessKey) -> ServiceUnavailableError:
    return ServiceUnavailableError(
        f"The service does not accept its new access key {key.key_id} yet, so the old one stays in"
        " use. If this goes on, look at this machine's clock"
    )


def _too_slow(timeout: float) -> ServiceUnavailableError:
    return ServiceUnavailableError(f"No access key within {timeout:g} s", retry_after=timeout)
