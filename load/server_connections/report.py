"""What a run with breaking server connections came to, for machines and for people."""

from collections.abc import Iterator, Sequence
from math import inf, isinf
from typing import Any

from ..account.figures import percentiles
from ..account.journal import FailureKind
from ..account.ledger import Ledger
from ..report import Report, counted, figures, grown, milliseconds, told, violated
from ..run import Options, Outcome
from .run import Break, unexplained

__all__ = ["breaks_report"]


def breaks_report(options: Options, outcome: Outcome, breaks: Sequence[Break]) -> Report:
    """Make the report of a run in which server connections broke.

    Args:
        options: What was chosen.
        outcome: What the run came to.
        breaks: What broke, in turn.
    """
    content = counted(options, outcome)
    failures = outcome.journal.failures
    unexpected = unexplained(failures, breaks)
    content["failures"] = told(unexpected)
    content["breaks"] = _breaks(outcome, breaks)
    content["problems"] = [
        *violated(outcome),
        *([f"{len(unexpected)} failures that no break explains"] if unexpected else []),
        *(["no server connection broke"] if not breaks else []),
        *(["clients did not come back"] if any(isinf(each.closed) for each in breaks) else []),
        *grown(outcome, "emulator", "app server"),
    ]
    told_of = content["breaks"]
    lines = [
        *figures(content),
        (
            f"  breaks       {told_of['times']} with {told_of['clients']:,} clients,"
            f" {told_of['losses']:,} of whom lost their connection; back after"
            f" {milliseconds(told_of['backMilliseconds'])}"
        ),
        (
            f"  in flight    {told_of['inFlight']:,} messages of the app, {told_of['cutOff']:,} of"
            f" clients; {told_of['arrived']:,} of all these came to somebody"
        ),
    ]
    return Report(content, lines)


def _breaks(outcome: Outcome, breaks: Sequence[Break]) -> dict[str, Any]:
    failures, ledger = outcome.journal.failures, outcome.ledger
    explained = [each for each in failures if any(one.explains(each) for one in breaks)]
    heard = {number for each in ledger.connections for number in each.numbers}
    unknown = [each.number for each in ledger.messages.values() if not each.accepted]
    in_flight = sum(each.kind is FailureKind.SEND for each in explained)
    return {
        "times": len(breaks),
        "clients": sum(each.clients for each in breaks),
        "requestsInFlight": sum(each.in_flight for each in breaks),
        "losses": sum(each.kind is FailureKind.LOSS for each in explained),
        "backMilliseconds": percentiles(list(_absences(ledger, breaks))),
        "inFlight": in_flight,
        "cutOff": len(unknown) - in_flight,
        "arrived": len(heard.intersection(unknown)),
    }


def _absences(ledger: Ledger, breaks: Sequence[Break]) -> Iterator[float]:
    """Give for how many seconds each client was away that lost its connection by a break."""
    next_opened: dict[int, float] = {}
    for connection in reversed(ledger.connections):
        if any(each.began <= connection.lost_at <= each.closed for each in breaks):
            yield next_opened.get(connection.client, inf) - connection.lost_at
        next_opened[connection.client] = connection.opened_at
