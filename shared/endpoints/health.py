"""Whether an endpoint is up: its health check, heard with hysteresis.

`Health` judges and has neither thread nor clock. `HealthMonitor` is the edge that asks.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Final

from ..telemetry import log_fields

__all__ = ["CHECK_INTERVAL", "DOUBT_INTERVAL", "Health", "HealthMonitor"]

_logger = logging.getLogger(__name__)

_FAILURES: Final = 3
"""Failed checks in a row after which an endpoint is down."""

_SUCCESSES: Final = 2
"""Good checks in a row after which it is up again."""

CHECK_INTERVAL: Final = 15.0
"""Seconds between checks while they say what is known."""

_LONGEST_STOP: Final = 2.0
"""Seconds that closing waits for a check that is under way."""

DOUBT_INTERVAL: Final = 2.0
"""Seconds between checks while they say something else."""


class Health:
    """Judges an endpoint by its checks: one that fails once is not down, nor is it up at once."""

    def __init__(self) -> None:
        self.healthy = True
        self._contrary = 0

    @property
    def in_doubt(self) -> bool:
        """Whether the last check contradicts what is held."""
        return self._contrary > 0

    def observe(self, answered: bool) -> None:
        """Take note of a check."""
        if answered == self.healthy:
            self._contrary = 0
            return
        self._contrary += 1
        if self._contrary >= (_FAILURES if self.healthy else _SUCCESSES):
            self.healthy = answered
            self._contrary = 0


class HealthMonitor:
    """Checks endpoints on a thread of its own.

    Args:
        checks: For each endpoint's name what is known of it, and a check that blocks.
    """

    def __init__(self, checks: Mapping[str, tuple[Health, Callable[[], bool]]]) -> None:
        self._checks = checks
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, if it has not begun."""
        if self._thread is not None:
            return
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="signalr-health", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:
                    # The endpoints count as they did; who comes next tries again.
                    _logger.warning("No thread for health checks: %s", error)
                    return
                self._thread = thread

    def check(self) -> None:
        """Check every endpoint once."""
        for name, (health, check) in self._checks.items():
            before = health.healthy
            health.observe(_answered(name, check))
            if health.healthy != before:
                state = "up" if health.healthy else "down"
                _logger.warning("Endpoint %s is %s", name, state, extra=log_fields(endpoint=name))

    def after_fork(self) -> None:
        """Make it usable in a child process, where its thread is gone."""
        self._begin()

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(_LONGEST_STOP)

    def _run(self) -> None:
        while not self._closed.is_set():
            self.check()
            doubt = any(health.in_doubt for health, _ in self._checks.values())
            self._closed.wait(DOUBT_INTERVAL if doubt else CHECK_INTERVAL)


def _answered(name: str, check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception:
        # The thread must live on, and the other endpoints be checked.
        _logger.exception("Endpoint %s could not be checked", name, extra=log_fields(endpoint=name))
        return False
