"""The rotation of the access key as a state machine: which key signs, and what is to be done next.

Pure: neither thread nor clock nor I/O. Every event comes with its moment; `keys.thread` feeds it.
A decision is made when an event arrives, by what holds then: between asking for a key and having it
there may be a freeze of hours.
"""

import dataclasses
from enum import Enum
from typing import Final, NamedTuple

from ..errors import ServiceError, ServiceUnavailableError
from .access_key import AccessKey
from .schedule import FetchedKey, Moment, Schedule, end_of, no_key

__all__ = ["Action", "Fetch", "Prove", "Rest", "Rotation", "Verdict"]

_LONGEST_REST: Final = 30.0
"""Seconds after which the clocks are looked at again: a frozen instance's timers stand still while
the clock runs on."""


class Verdict(Enum):
    """What the service says of a key."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    UNSURE = "unsure"
    """It did not answer the question."""


class Fetch(NamedTuple):
    """Action: ask the service for a new key. Ends with the event `fetched` or `refused`."""


class Prove(NamedTuple):
    """Action: ask the service whether it knows a key. Ends with the event `proven`."""

    key: AccessKey


class Rest(NamedTuple):
    """Action: do nothing for so many seconds, or until somebody asks."""

    seconds: float


type Action = Fetch | Prove | Rest
type Told = AccessKey | ServiceUnavailableError | None
"""What those who wait are told: a key, or why there is none; `None`: they wait on."""


class _Candidate(NamedTuple):
    """A new key while the one before it is still good.

    Args:
        key: The key.
        obtained: When it was asked for.
        is_doubtful: Whether the service has said that it does not know it yet.
    """

    key: AccessKey
    obtained: Moment
    is_doubtful: bool = False


class Rotation:
    """Which key signs, and what is to be done next.

    Only one action is under way at a time: `next` is asked again after its event.
    """

    def __init__(self) -> None:
        self.schedule = Schedule()
        self._candidate: _Candidate | None = None
        self._is_wanted = False
        self._ended_on_arrival = False

    def usable(self, now: Moment) -> AccessKey | None:
        """Return the key that signs now: the one in use, or after its end the one that came."""
        key = self.schedule.usable(now)
        if key is None and self._candidate is not None:
            self._adopt(self._candidate, now, jitter=0.0)
            key = self.schedule.usable(now)
        return key

    def asked(self, now: Moment) -> Told:
        """Take note of a caller, and return what it is told; one that waits has a key fetched."""
        key = self.usable(now)
        if key is not None:
            return key
        if not self._is_wanted:
            refusal = self.schedule.refusal(now)
            if refusal is not None:
                return refusal
        self._is_wanted = True
        return None

    def next(self, now: Moment) -> Action:
        """Return what is to be done now."""
        key = self.usable(now)
        candidate = self._candidate
        if candidate is not None and not candidate.is_doubtful:
            return Prove(candidate.key)
        if self._is_wanted or self.schedule.is_due(now):
            return Fetch()
        if key is None:
            return Rest(min(self.schedule.due.seconds_from(now), _LONGEST_REST))
        if self.schedule.is_check_due(now):
            return Prove(key)
        return Rest(min(self.schedule.next.seconds_from(now), _LONGEST_REST))

    def fetched(self, fetched: FetchedKey, now: Moment, jitter: float) -> Told:
        """Take a key that the service has given.

        Args:
            fetched: The key, and when it was asked for.
            now: When it came.
            jitter: From 0 to 1: spreads the next rotation, or the next try.
        """
        # A wall clock that was set back meanwhile would make the key younger than it is.
        obtained = Moment(min(fetched.asked.wall, now.wall), fetched.asked.steady)
        key = dataclasses.replace(fetched.key, obtained_at=obtained.wall)
        if end_of(key, obtained).reached(now):
            return self._ended(now, jitter)
        self._ended_on_arrival = False
        if self.schedule.usable(now) is None:
            self.schedule.succeeded(key, obtained, now, jitter)
            self._candidate = None
        else:
            self._candidate = _Candidate(key, obtained)
        return self._told(now)

    def refused(self, error: ServiceError, now: Moment, jitter: float) -> Told:
        """Take note that there is no new key; `jitter` from 0 to 1 spreads the next try."""
        self.schedule.failed(error, now, jitter)
        return self._told(now, error)

    def proven(self, key: AccessKey, verdict: Verdict, now: Moment, jitter: float) -> Told:
        """Take what the service says of a key; `jitter` as for `fetched`."""
        candidate = self._candidate
        if candidate is None or candidate.key != key:
            self.schedule.checked(now)
            if verdict is Verdict.UNKNOWN and key == self.schedule.key:
                self.schedule.disowned(now)
            return self._told(now)
        if verdict is Verdict.UNKNOWN:
            # It stays at hand: when the old one ends, a key that may be known beats none.
            self._candidate = candidate._replace(is_doubtful=True)
        if verdict is not Verdict.UNKNOWN or self.schedule.usable(now) is None:
            self._adopt(self._candidate or candidate, now, jitter)
            return self._told(now)
        self.schedule.failed(_unknown(key), now, jitter)
        return self._told(now)

    def interrupted(self) -> None:
        """Forget who waits: in a child process, or where nobody can be served."""
        self._is_wanted = False

    def _adopt(self, candidate: _Candidate, now: Moment, jitter: float) -> None:
        self._candidate = None
        if end_of(candidate.key, candidate.obtained).reached(now):
            return
        self.schedule.succeeded(candidate.key, candidate.obtained, now, jitter)
        if candidate.is_doubtful:
            self.schedule.doubted(now)

    def _ended(self, now: Moment, jitter: float) -> Told:
        """Ask once more, at once, for those who wait; twice in a row it is a failure."""
        if not self._ended_on_arrival:
            self._ended_on_arrival = True
            self.schedule.due = now
            return self._told(now)
        return self.refused(
            ServiceUnavailableError(
                "The access key had ended when it came: this machine was frozen, or its clock was"
                " set, while it was asked for"
            ),
            now,
            jitter,
        )

    def _told(self, now: Moment, error: ServiceError | None = None) -> Told:
        if not self._is_wanted:
            return None
        key = self.usable(now)
        if key is None and error is None:
            return None
        self._is_wanted = False
        if key is not None or error is None:
            return key
        return no_key(error, self.schedule.due_on_demand.seconds_from(now))


def _unknown(key: AccessKey) -> ServiceUnavailableError:
    return ServiceUnavailableError(
        f"The service does not accept its new access key {key.key_id} yet, so the old one stays in"
        " use. If this goes on, look at this machine's clock"
    )
