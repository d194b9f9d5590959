"""What a check finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

__all__ = ["Detail", "Diagnosis", "Finding", "Status"]

type Detail = str | int | float | bool | list[str] | None
"""A value of the details, as JSON has it."""


class Status(Enum):
    """How a check ended."""

    OK = "ok"
    """All well."""

    WARNING = "warning"
    """It works, and is worth a look."""

    FAILED = "failed"
    """It is broken."""

    SKIPPED = "skipped"
    """It was not tried."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong, and how to fix it.

    Args:
        summary: What is wrong.
        fix: How to fix it, a sentence or command a line.
    """

    summary: str
    fix: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check finds.

    Args:
        status: How it ended.
        summary: What was seen, in one line.
        fix: How to fix it, a sentence or command a line; empty when nothing has to be fixed.
        details: The facts behind it, for machines.
    """

    status: Status
    summary: str
    fix: str = ""
    details: Mapping[str, Detail] = field(default_factory=dict)

    @classmethod
    def ok(cls, summary: str, **details: Detail) -> "Finding":
        """Return that all is well."""
        return cls(Status.OK, summary, details=details)

    @classmethod
    def warning(cls, summary: str, fix: str, **details: Detail) -> "Finding":
        """Return that something is worth a look."""
        return cls(Status.WARNING, summary, fix, details)

    @classmethod
    def failed(cls, diagnosis: Diagnosis, **details: Detail) -> "Finding":
        """Return that something is broken."""
        return cls(Status.FAILED, diagnosis.summary, diagnosis.fix, details)

    @classmethod
    def skipped(cls, reason: str) -> "Finding":
        """Return that it was not tried, with the reason as the end of "skipped: …"."""
        return cls(Status.SKIPPED, f"skipped: {reason}")
