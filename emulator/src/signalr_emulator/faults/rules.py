"""Faults on purpose: which request is disturbed, and how, without I/O.

A fault names requests by operation or by method and path, and what happens to them. Chance comes
from a generator with a seed for each fault, so that a run can be repeated.
"""

import re
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from random import Random

from ..errors import DocumentError

__all__ = ["MAX_FAULTS", "Action", "Armed", "Fault", "Faults", "Request"]

MAX_FAULTS = 1000
"""How many faults are kept, used up ones included."""


class Action(Enum):
    """What happens to a request."""

    PASS = "pass"  # noqa: S105 - no password
    """It is only delayed."""

    ANSWER = "answer"
    """It is answered with a chosen status, headers and body; nothing is carried out."""

    RESET = "reset"
    """Its connection is reset; nothing is carried out."""

    TRUNCATE = "truncate"
    """It is carried out; the connection ends in the middle of the response's body."""

    MALFORM = "malform"
    """It is carried out; the body is cut in half, though the response says it is complete."""

    FREEZE = "freeze"
    """It waits until the fault is cleared, and then goes on."""

    UNKNOWN_KEY = "unknownKey"
    """It is refused with 401, as if the service did not know the key that signed its token."""

    REFRESH_REQUIRED = "refreshRequired"
    """It is answered with 409, so that the client refreshes its authentication and polls again."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is looked at of a request.

    Attributes:
        method: HTTP method; empty for what is no request of its own.
        path: Decoded path; empty for what is no request of its own.
        port: Port that it came in on.
        operations: Names of the operation; none for a path that is none.
        hub: Name of the hub, in lower case, or None where there is none.
    """

    method: str
    path: str
    port: int
    operations: frozenset[str] = frozenset()
    hub: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is disturbed, and how.

    Attributes:
        action: What happens.
        operations: Names of operations; empty for any.
        method: HTTP method, or None for any.
        path: Path in which `*` stands for any text, or None for any.
        port: Port of one endpoint, or None for all of them.
        hub: Name of a hub, in lower case, or None for any.
        status: Status of `ANSWER`.
        headers: Headers of `ANSWER`.
        body: Body of `ANSWER`.
        delay: Seconds of real time before anything else.
        times: How many requests are disturbed, or None for all until the fault is cleared.
        share: Which part of the requests is disturbed, from 0 to 1.
        seed: Begins the generator that picks this part.
    """

    action: Action
    operations: frozenset[str] = frozenset()
    method: str | None = None
    path: str | None = None
    port: int | None = None
    hub: str | None = None
    status: int = 500
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    delay: float = 0.0
    times: int | None = None
    share: float = 1.0
    seed: int = 0

    def matches(self, request: Request) -> bool:
        """Tell whether a request is meant, whatever chance says."""
        return (
            self._names(request.operations, is_request=bool(request.path))
            and self.method in {None, request.method}
            and self.port in {None, request.port}
            and self.hub in {None, request.hub}
            and (self.path is None or _compiled(self.path).fullmatch(request.path) is not None)
        )

    def _names(self, operations: frozenset[str], *, is_request: bool) -> bool:
        if self.operations:
            return not self.operations.isdisjoint(operations)
        return is_request


@dataclass(slots=True)
class Armed:
    """A fault in use.

    Attributes:
        fault_id: Names it.
        fault: What it does.
        applied: How many requests it has disturbed.
        is_cleared: Whether it has been taken away; what it froze goes on.
    """

    fault_id: str
    fault: Fault
    random: Random = field(repr=False)
    applied: int = 0
    is_cleared: bool = False

    @property
    def remaining(self) -> int | None:
        """How many more requests it will disturb, or None without such a limit."""
        return None if self.fault.times is None else self.fault.times - self.applied

    def takes(self, request: Request) -> bool:
        """Tell whether a request is disturbed, and count it if so."""
        if self.remaining == 0 or not self.fault.matches(request):
            return False
        if self.random.random() >= self.fault.share:
            return False
        self.applied += 1
        return True


class Faults:
    """Every fault, in the order in which they were added."""

    def __init__(self) -> None:
        self._armed: dict[str, Armed] = {}
        self._added = 0

    def add(self, fault: Fault) -> Armed:
        """Arm a fault.

        Raises:
            DocumentError: There are too many.
        """
        if len(self._armed) >= MAX_FAULTS:
            raise DocumentError("#", f"is one more than {MAX_FAULTS} faults; clear some first")
        self._added += 1
        armed = Armed(str(self._added), fault, Random(fault.seed))  # noqa: S311 - repeatable
        self._armed[armed.fault_id] = armed
        return armed

    def all(self) -> list[Armed]:
        """Give every fault, used up ones included."""
        return list(self._armed.values())

    def clear(self, fault_id: str) -> bool:
        """Take a fault away; gives False if there is no such fault."""
        armed = self._armed.pop(fault_id, None)
        if armed is None:
            return False
        armed.is_cleared = True
        return True

    def clear_all(self) -> None:
        """Take every fault away."""
        for fault_id in list(self._armed):
            self.clear(fault_id)

    @property
    def are_none(self) -> bool:
        """Whether nothing is disturbed."""
        return not self._armed

    def take(self, request: Request) -> Armed | None:
        """Give the first fault that disturbs a request, and count it there."""
        for armed in self._armed.values():
            if armed.takes(request):
                return armed
        return None


@lru_cache(maxsize=1024)
def _compiled(path: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in path.split("*")), re.DOTALL)
