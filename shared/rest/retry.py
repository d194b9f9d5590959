"""When a request to the service is repeated, and after how long. Pure."""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import Enum
from http import HTTPStatus
from typing import Final, NamedTuple

from ..transport.flow import NoAnswerError, Response

__all__ = ["Repeatable", "RetryPolicy", "is_transient", "retry_after"]

_REFUSED: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_TRANSIENT: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_SECONDS: Final = re.compile("[0-9]+")
_LONGEST: Final = 3600.0
"""Most seconds that callers are told to wait: who asks for more, or for a year, is not believed."""


class Repeatable(Enum):
    """How much doing an operation twice matters."""

    ALWAYS = "always"
    """Twice is as good as once: repeat after any failure that may pass."""

    WHEN_REFUSED = "when refused"
    """Twice sends a message twice: repeat only when the service surely did nothing with it."""


class RetryPolicy(NamedTuple):
    """Bounds of repetition.

    Args:
        attempts: Most requests for one operation, the first included.
        first_delay: Seconds before the second request, doubled for each one more.
        longest_delay: Longest wait in seconds. A `Retry-After` beyond it ends the attempts, so
            that the caller hears of it instead of waiting.
        total_time: Seconds after which no further request is begun.
        at_least_once: Send a message again though the service may have delivered it already (after
            a 500, or without an answer). Without it a message is lost rather than doubled, and the
            caller hears of it.
    """

    attempts: int = 4
    first_delay: float = 0.4
    longest_delay: float = 10.0
    total_time: float = 30.0
    at_least_once: bool = False

    def delay(
        self,
        outcome: Response | NoAnswerError,
        repeatable: Repeatable,
        *,
        attempt: int,
        elapsed: float,
        now: float,
        jitter: float,
    ) -> float | None:
        """Return seconds to wait before the next request, or `None` when there shall be none.

        Args:
            outcome: What the request came to.
            repeatable: How much doing the operation twice matters.
            attempt: Number of requests made so far.
            elapsed: Seconds since the first of them began.
            now: Current time in epoch seconds, for a `Retry-After` that is a date.
            jitter: A number from 0 to 1 that spreads callers in time.
        """
        if self.at_least_once:
            repeatable = Repeatable.ALWAYS
        if attempt >= self.attempts or not _may_pass(outcome, repeatable):
            return None
        asked = retry_after(outcome, now) if isinstance(outcome, Response) else None
        if asked is not None and asked > self.longest_delay:
            return None
        delay = asked
        if delay is None:
            # Not above: no start needs it that goes well.
            from ..keys.backoff import backoff  # noqa: PLC0415

            delay = backoff(attempt, self.first_delay, self.longest_delay, jitter)
        return delay if elapsed + delay < self.total_time else None


def retry_after(response: Response, now: float) -> float | None:
    """Return the seconds that a `Retry-After` header asks for, an hour at most.

    Source: RFC 9110, section 10.2.3.

    Args:
        response: The answer that may hold the header, as seconds or as a date.
        now: Current time in epoch seconds.
    """
    value = response.headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), _LONGEST)
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    # A date without a zone is UTC by RFC 9110, and Python would take it for local time.
    zoned = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(max(0.0, zoned.timestamp() - now), _LONGEST)


def _may_pass(outcome: Response | NoAnswerError, repeatable: Repeatable) -> bool:
    if isinstance(outcome, NoAnswerError):
        return repeatable is Repeatable.ALWAYS or not outcome.delivered
    if outcome.status in _REFUSED:
        return True
    return is_transient(outcome.status) and repeatable is Repeatable.ALWAYS


def is_transient(status: int) -> bool:
    """Tell whether what an answer says may be over a moment later.

    That somebody does not know the method is no such thing (RFC 9110, section 15.6.2).
    """
    if status == HTTPStatus.NOT_IMPLEMENTED:
        return False
    return status in _TRANSIENT or status >= HTTPStatus.INTERNAL_SERVER_ERROR
