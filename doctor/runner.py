"""Runs checks one after another, each within its time."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from .finding import Diagnosis, Finding, Status
from .redaction import Secrets

__all__ = ["Check", "Result", "Runner"]

_LONGEST_CHECK: Final = 15.0
"""Seconds for one check: a cold function app or a credential of the command line takes its time."""


@dataclass(frozen=True, slots=True)
class Check[S]:
    """One step.

    Args:
        id: Its name for machines.
        title: Its name for people.
        run: Looks at the subject, and may leave there what later checks need.
        needs: Names of the checks without whose success it is not tried.
    """

    id: str
    title: str
    run: Callable[[S], Finding]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a step.

    Args:
        id: Name of the check.
        title: Its name for people.
        subject: What was checked: an endpoint's name, or "" for the configuration as a whole.
        finding: What it found.
    """

    id: str
    title: str
    subject: str
    finding: Finding


class Runner:
    """Runs checks until the time of the whole run is over.

    A check runs in a thread of its own that is left behind when its time is over, since a name
    look-up or a command of azure-identity cannot be interrupted.

    Args:
        seconds: Time of the whole run.
        secrets: What no result may show.
        began: Is told the title of each check as it begins.
    """

    def __init__(self, seconds: float, secrets: Secrets, began: Callable[[str], None]) -> None:
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._secrets = secrets
        self._began = began

    def run[S](self, checks: Sequence[Check[S]], on: S, subject: str = "") -> Iterator[Result]:
        """Run checks on a subject, giving each result as it comes.

        Args:
            checks: What to check, in this order.
            on: What the checks look at.
            subject: What it is called in the results.
        """
        titles = {each.id: each.title for each in checks}
        usable: set[str] = set()
        for check in checks:
            missing = next((name for name in check.needs if name not in usable), None)
            if missing is None:
                finding = self._finding(check, on)
            else:
                finding = Finding.skipped(f"it needs “{titles[missing]}”")
            if finding.status in {Status.OK, Status.WARNING}:
                usable.add(check.id)
            yield Result(check.id, check.title, subject, self._shown(finding))

    def _finding[S](self, check: Check[S], on: S) -> Finding:
        left = self._until - time.monotonic()
        if left <= 0:
            return Finding.skipped(
                f"the {self._seconds:g} seconds of this run are over (--timeout)"
            )
        self._began(check.title)
        limit = min(left, _LONGEST_CHECK)
        findings: list[Finding] = []
        thread = threading.Thread(target=lambda: findings.append(_run(check, on)), daemon=True)
        thread.start()
        thread.join(limit)
        if findings:
            return findings[0]
        return Finding.failed(
            Diagnosis(
                f"it did not end within {limit:.0f} s",
                "A proxy, firewall or name server may not answer. --timeout gives more time",
            )
        )

    def _shown(self, finding: Finding) -> Finding:
        hide = self._secrets.hide
        return replace(
            finding,
            summary=hide(finding.summary),
            fix=hide(finding.fix),
            details={
                name: hide(value) if isinstance(value, str) else value
                for name, value in finding.details.items()
            },
        )


def _run[S](check: Check[S], on: S) -> Finding:
    try:
        return check.run(on)
    except Exception as error:  # noqa: BLE001  a fault of the doctor must not hide the other steps
        return Finding.failed(
            Diagnosis(
                f"the doctor itself failed: {type(error).__name__}: {error}",
                "Please report this as a bug of the doctor",
            )
        )
