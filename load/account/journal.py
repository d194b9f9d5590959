"""What happens in a run besides messages: how often, how long it takes, and what goes wrong."""

import time
import traceback
from collections import Counter, defaultdict
from dataclasses import dataclass
from enum import Enum

__all__ = ["Failure", "FailureKind", "Journal", "now"]

now = time.monotonic
"""The clock of every time in a run, in seconds."""


class FailureKind(Enum):
    """What can go wrong for whoever uses the app."""

    NEGOTIATION = "negotiation"
    """The app gives no token, or the service does not take it."""

    CONNECTION = "connection"
    """The service does not let a client connect that has negotiated."""

    LOSS = "loss"
    """A connection ends that its client has not left."""

    SEND = "send"
    """A message is not accepted, or by some of several endpoints only."""

    GROUP = "group"
    """A group action is not accepted."""

    REFRESH = "refresh"
    """The app does not renew the sign-in of a connection."""

    INVOCATION = "invocation"
    """A method of the hub has an error for a result."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that went wrong.

    Args:
        kind: For whom.
        detail: What was answered.
        began: When it was asked for.
        ended: When it was known.
    """

    kind: FailureKind
    detail: str
    began: float
    ended: float


class Journal:
    """Keeps count."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.durations: defaultdict[str, list[float]] = defaultdict(list)
        self.failures: list[Failure] = []
        self.mistakes: list[str] = []

    def count(self, what: str) -> None:
        """Count something that happened."""
        self.counts[what] += 1

    def took(self, what: str, began: float) -> None:
        """Keep how long something took that has just ended well."""
        self.durations[what].append(now() - began)

    def failed(self, kind: FailureKind, detail: str, began: float) -> None:
        """Keep what went wrong just now."""
        self.failures.append(Failure(kind, detail, began, now()))

    def broke(self, error: BaseException | None) -> None:
        """Keep an error of this program's own, with which no verdict counts."""
        self.mistakes.append("".join(traceback.format_exception(error)))
