"""When an access key is replaced and checked, and how long it may be used.

Pure: no thread and no clock.
"""

import math
from typing import Final, NamedTuple

from ..errors import PermissionDeniedError, ServiceError, ServiceUnavailableError
from .access_key import AccessKey

__all__ = ["FetchedKey", "Moment", "Schedule", "end_of", "no_key"]

_ROTATE_AFTER: Final = 60 * 60
"""Seconds after which a key is replaced, as the service's documentation recommends."""

_ROTATION_SPREAD: Final = 5 * 60
"""Most seconds by which a rotation comes early, so that instances do not rotate together."""

_CHECK_AFTER: Final = 5 * 60
"""Seconds after which the service is asked whether it still knows the key: it tells nobody when it
has revoked one."""

_FIRST_RETRY: Final = 1.0
_LONGEST_RETRY: Final = 30.0
"""Seconds between tries while nobody asks."""

_SHORTEST_TOKEN: Final = 1.0
"""Seconds that a key must have left: times in tokens are whole seconds."""

_LONGEST_PAUSE: Final = 60.0
"""Most seconds that the service can have this app wait by a `Retry-After`: without a key nobody
connects, and one request a minute is no burden."""

_SOONEST_RETRY: Final = 2.0
"""Seconds after a refusal from which a caller's request starts another try at once, so that a role
assignment that lands late is noticed with the caller's next request."""


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

    def earlier(self, other: "Moment") -> "Moment":
        """Return when the first of two moments is reached."""
        return Moment(min(self.wall, other.wall), min(self.steady, other.steady))

    def reached(self, now: "Moment") -> bool:
        """Tell whether it is over by one of the clocks."""
        return now.wall >= self.wall or now.steady >= self.steady

    def seconds_from(self, now: "Moment") -> float:
        """Return the seconds until it is over; negative when it is."""
        return min(self.wall - now.wall, self.steady - now.steady)


class FetchedKey(NamedTuple):
    """A key that the service has given.

    Args:
        key: The key.
        asked: When the request was sent that brought it: the key is never older.
    """

    key: AccessKey
    asked: Moment


_NOW: Final = Moment(0.0, 0.0)
"""A moment that is over whatever the clocks say."""

_NEVER: Final = Moment(math.inf, math.inf)


class Schedule:
    """What is known of the key, and when the next fetch and the next check are due."""

    def __init__(self) -> None:
        self.key: AccessKey | None = None
        self.obtained = _NOW
        self.expires = _NOW
        self.due = _NOW
        self.check_due = _NEVER
        self.due_on_demand = _NOW
        self.error: ServiceError | None = None
        self.failures = 0

    @property
    def next(self) -> Moment:
        """When there is something to do: a fetch or a check."""
        return self.due.earlier(self.check_due)

    def usable(self, now: Moment) -> AccessKey | None:
        """Return the key if the service still accepts what it signs."""
        return None if self.key is None or self.expires.reached(now) else self.key

    def is_fresh(self, wall: float, steady: float) -> bool:
        """Tell whether the key is usable and nothing is due, which is so nearly always."""
        return (
            self.obtained[0] <= wall < self.due[0]
            and steady < self.due[1]
            and wall < self.check_due[0]
            and steady < self.check_due[1]
            and wall < self.expires[0]
            and steady < self.expires[1]
        )

    def is_due(self, now: Moment) -> bool:
        """Tell whether a fetch is due: by the key's age, or since the wall clock was set back."""
        return self.due.reached(now) or now.wall < self.obtained.wall

    def is_check_due(self, now: Moment) -> bool:
        """Tell whether the service is to be asked whether it still knows the key."""
        return self.check_due.reached(now)

    def succeeded(self, key: AccessKey, obtained: Moment, now: Moment, jitter: float) -> None:
        """Take a new key.

        Args:
            key: The key.
            obtained: When it was asked for: by neither clock is it older.
            now: The current moment.
            jitter: From 0 to 1: brings the next rotation forward.
        """
        self.key = key
        self.obtained = obtained
        self.expires = end_of(key, obtained)
        self.due = self.obtained.after(_ROTATE_AFTER - jitter * _ROTATION_SPREAD)
        self.error = None
        self.failures = 0
        self.checked(now)

    def checked(self, now: Moment) -> None:
        """Take note that the service has just been asked for the key, or about it."""
        self.check_due = now.after(_CHECK_AFTER)

    def doubted(self, now: Moment) -> None:
        """Take note that the service may not know the key yet: it is asked soon."""
        self.check_due = now.after(_LONGEST_RETRY)

    def disowned(self, now: Moment) -> None:
        """Take note that the service does not know the key any more: a fetch is due."""
        self.due = now

    def failed(self, error: ServiceError, now: Moment, jitter: float) -> None:
        """Keep what there is and come back later; `jitter` from 0 to 1 spreads instances."""
        self.failures += 1
        self.error = error
        # A clock that was set back makes a fetch due once, not until it has caught up.
        self.obtained = Moment(min(self.obtained.wall, now.wall), self.obtained.steady)
        # Not above: no start needs it that goes well.
        from .backoff import backoff  # noqa: PLC0415

        asked = min(error.retry_after or 0.0, _LONGEST_PAUSE)
        delay = max(_FIRST_RETRY, backoff(self.failures, _FIRST_RETRY, _LONGEST_RETRY, jitter))
        self.due = now.after(max(delay, asked))
        soonest = _SOONEST_RETRY if isinstance(error, PermissionDeniedError) else delay
        self.due_on_demand = now.after(max(min(delay, soonest), asked))

    def refusal(self, now: Moment) -> ServiceUnavailableError | None:
        """Return why there is no key, while a caller's request starts no other try."""
        if self.error is None or self.due_on_demand.reached(now):
            return None
        return no_key(self.error, self.due_on_demand.seconds_from(now))


def end_of(key: AccessKey, obtained: Moment) -> Moment:
    """Return when a key cannot sign a valid token any more; `obtained` is when it was asked for."""
    return obtained.after(key.lifetime - _SHORTEST_TOKEN)


def no_key(error: ServiceError, seconds: float) -> ServiceUnavailableError:
    """Return what callers are told: when another try makes sense. What happened is the cause.

    Args:
        error: What happened.
        seconds: Seconds until the next try.
    """
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
