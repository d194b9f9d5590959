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
from typing import Final

from shared.access_key import AccessKey
from shared.errors import ServiceUnavailableError, SignalRError
from shared.retry import backoff

__all__ = ["AccessKeyRotation", "Schedule"]

_logger = logging.getLogger(__name__)

_ROTATE_AFTER: Final = 60 * 60
"""Seconds after which a key is replaced, as the service's documentation recommends."""

_ROTATION_SPREAD: Final = 5 * 60
"""Most seconds by which a rotation comes early, so that instances do not rotate together."""

_FIRST_RETRY: Final = 1.0
_LONGEST_RETRY: Final = 30.0
"""Seconds between tries. Short, so that a role assignment that lands late is noticed soon."""

_LONGEST_SLEEP: Final = 30.0
"""Seconds after which the thread looks at the clock again: a frozen instance's timers stand still
while the clock runs on."""


@dataclass(slots=True)
class Schedule:
    """What is known of the key, and when the next fetch is due. All times in epoch seconds."""

    key: AccessKey | None = None
    due_at: float = 0.0
    error: SignalRError | None = None
    failures: int = 0

    def usable(self, now: float) -> AccessKey | None:
        """Return the key if the service still accepts what it signs."""
        return self.key if self.key is not None and now < self.key.expires_at else None

    def succeeded(self, key: AccessKey, jitter: float) -> None:
        """Take a new key; `jitter` from 0 to 1 brings the next rotation forward."""
        self.key = key
        self.due_at = key.obtained_at + _ROTATE_AFTER - jitter * _ROTATION_SPREAD
        self.error = None
        self.failures = 0

    def failed(self, error: SignalRError, now: float, jitter: float) -> None:
        """Keep what there is and come back later; `jitter` from 0 to 1 spreads instances."""
        self.failures += 1
        self.error = error
        delay = backoff(self.failures, _FIRST_RETRY, _LONGEST_RETRY, jitter)
        asked = error.retry_after if isinstance(error, ServiceUnavailableError) else None
        self.due_at = now + max(delay, asked or 0.0)

    def refusal(self, now: float) -> SignalRError | None:
        """Return why there is no key, while the next try is not due yet."""
        if self.error is None or now >= self.due_at:
            return None
        return _with_retry_after(self.error, self.due_at - now)


class AccessKeyRotation:
    """Keeps a usable access key at hand.

    The first caller starts a background thread that fetches the key; whoever comes meanwhile waits
    for the same fetch. From then on the key is replaced behind the callers' backs.

    Args:
        fetch: Gets a new key, blocking. Raises `SignalRError`.
        clock: Current time in epoch seconds.
        jitter: Random numbers from 0 to 1.
    """

    def __init__(
        self,
        fetch: Callable[[], AccessKey],
        *,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._jitter = jitter
        self._schedule = Schedule()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._pending: Future[AccessKey] | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def current(self, now: float) -> AccessKey | None:
        """Return the key if there is a usable one, and see to its rotation. Never blocks.

        Args:
            now: Current time in epoch seconds.
        """
        schedule = self._schedule
        if now >= schedule.due_at:
            self._wake.set()
        return schedule.usable(now)

    def get(self, timeout: float) -> AccessKey:
        """Return a usable key, waiting for the fetch that brings it.

        Args:
            timeout: Most seconds to wait.

        Raises:
            SignalRError: The last fetch failed, and this is why.
            ServiceUnavailableError: The fetch takes longer than the timeout.
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
    def degraded(self) -> bool:
        """Whether the last fetch failed."""
        return self._schedule.error is not None

    def close(self) -> None:
        """End the background thread."""
        self._closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _request(self) -> Future[AccessKey]:
        """Return the outcome of the fetch under way, starting one if there is none."""
        with self._lock:
            now = self._clock()
            key = self._schedule.usable(now)
            refusal = self._schedule.refusal(now)
            if key is not None or refusal is not None:
                return _settled(key, refusal)
            if self._pending is None:
                self._pending = Future()
                # From here on it cannot be cancelled: one who gives up leaves it to the others.
                self._pending.set_running_or_notify_cancel()
            self._start()
            self._wake.set()
            return self._pending

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._rotate, name="signalr-access-key", daemon=True
            )
            self._thread.start()

    def _rotate(self) -> None:
        while not self._closed:
            now = self._clock()
            if now >= self._schedule.due_at:
                self._fetch_once()
            else:
                self._wake.wait(min(self._schedule.due_at - now, _LONGEST_SLEEP))
                self._wake.clear()

    def _fetch_once(self) -> None:
        try:
            key = self._fetch()
        except SignalRError as error:
            self._settle(None, error)
        except Exception as error:
            # The thread must live on, and the callers must hear of it.
            _logger.exception("The access key could not be fetched")
            self._settle(None, ServiceUnavailableError(f"{type(error).__name__}: {error}"))
        else:
            self._settle(key, None)

    def _settle(self, key: AccessKey | None, error: SignalRError | None) -> None:
        with self._lock:
            now = self._clock()
            if key is not None:
                self._schedule.succeeded(key, self._jitter())
                _logger.info("Access key %s in use, to be rotated in an hour", key.key_id)
            if error is not None:
                self._schedule.failed(error, now, self._jitter())
                _logger.error(
                    "No new access key, next try in %.0f s: %s", self._schedule.due_at - now, error
                )
            pending, self._pending = self._pending, None
        if pending is None:
            return
        if key is not None:
            pending.set_result(key)
        elif error is not None:
            pending.set_exception(_with_retry_after(error, self._schedule.due_at - now))


def _settled(key: AccessKey | None, error: SignalRError | None) -> Future[AccessKey]:
    future: Future[AccessKey] = Future()
    if key is not None:
        future.set_result(key)
    else:
        future.set_exception(error)
    return future


def _with_retry_after(error: SignalRError, seconds: float) -> ServiceUnavailableError:
    """Tell callers when the next try is over; what happened stays the cause."""
    unavailable = ServiceUnavailableError(f"No access key: {error}", retry_after=seconds)
    unavailable.__cause__ = error
    return unavailable


def _too_slow(timeout: float) -> ServiceUnavailableError:
    return ServiceUnavailableError(f"No access key within {timeout:g} s", retry_after=timeout)
