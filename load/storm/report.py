"""What a storm came to, as JSON for machines and as text for people."""

from typing import Any

from ..account.figures import percentiles
from ..account.journal import FailureKind
from ..clients.client import CLOSED_TO_RETURN
from ..report import Report, environment, milliseconds, told
from .run import Aftermath

__all__ = ["storm_report"]


def storm_report(clients: int, aftermath: Aftermath) -> Report:
    """Make the report of a storm.

    Args:
        clients: How many were to ask.
        aftermath: What it came to.
    """
    journal = aftermath.journal
    taken = journal.durations["refresh"]
    content: dict[str, Any] = {
        "clients": clients,
        "seconds": round(aftermath.seconds, 1),
        **environment(),
        "renewed": len(taken),
        "connected": aftermath.connected,
        "stayed": aftermath.stayed,
        "heard": aftermath.heard,
        "milliseconds": percentiles(taken),
        "cpuSeconds": {
            name: series.cpu_seconds for name, series in aftermath.sampler.series.items()
        },
        "failures": told(journal.failures),
        "problems": _problems(clients, aftermath),
    }
    seconds = f"{aftermath.seconds:.1f} s"
    figures = [
        f"{clients:,} clients asked in the same second, answered after {seconds}",
        f"  renewed      {len(taken):,}, {milliseconds(content['milliseconds'])}",
        f"  past the end {aftermath.stayed:,} connected, {aftermath.heard:,} heard a message",
    ]
    return Report(content, figures)


def _problems(clients: int, aftermath: Aftermath) -> list[str]:
    journal = aftermath.journal
    failures = [each for each in journal.failures if each.kind is not FailureKind.LOSS]
    losses = [each.detail for each in journal.failures if each.kind is FailureKind.LOSS]
    counted = {
        "connected": aftermath.connected,
        "renewed": len(journal.durations["refresh"]),
        "still connected past the old end": aftermath.stayed,
        "reached by a message past the old end": aftermath.heard,
    }
    problems = [
        f"{clients - count} of {clients} clients not {what}"
        for what, count in counted.items()
        if count != clients
    ]
    if failures:
        problems.append(f"{len(failures)} failures without a fault")
    if not aftermath.forgetful_is_gone:
        problems.append("the client that did not renew is still connected past its end")
    elif not all(detail.endswith(CLOSED_TO_RETURN) for detail in losses):
        problems.append(f"connections ended otherwise than by their end: {losses[0]}")
    if journal.mistakes:
        problems.append(f"this program failed: {journal.mistakes[0]}")
    return problems
