"""What a run came to, as JSON for machines and as text for people."""

import json
import os
import platform
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from .account.checker import Violation
from .account.figures import growth, percentiles
from .account.journal import Failure
from .account.measures import Series
from .chaos import Window, unexcused
from .run import PATIENCE, Options, Outcome

__all__ = [
    "Report", "chaos_report", "counted", "environment", "figures", "grown", "milliseconds",
    "steady_report", "told", "violated",
]  # fmt: skip

_PACKAGES: Final = ("aiohttp", "azure-functions", "azure-functions-runtime", "azure-identity")
_NUMBERS: Final = re.compile(r"\[[\s\d.,-]+\]")
_SHOWN: Final = 20
"""Violations and failures that a report tells in full."""

_GROWTH_SHARE: Final = 0.05
_GROWTH_MEGABYTES: Final = 4.0
"""By how much the memory of a program may grow over the second half of a run, by the line
that fits best: this share of it, or so many megabytes if that is more. Python's allocator gives
memory back in large pieces only, so that less than that says nothing."""

_JUDGED_SECONDS: Final = 120.0
"""A shorter run is all warm-up, and says nothing of memory."""

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """What a run came to.

    Args:
        content: Everything, as it goes into the file.
        figures: What people want to know of it, line by line.
    """

    content: Json
    figures: Sequence[str]

    @property
    def problems(self) -> list[str]:
        """Why the run has failed; nothing if it has not."""
        problems: list[str] = self.content["problems"]
        return problems

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        text = json.dumps(self.content, indent=2, ensure_ascii=False)
        # A series takes one line, not one for each number.
        path.write_text(_NUMBERS.sub(lambda found: " ".join(found[0].split()), text) + "\n")

    def summary(self) -> str:
        """Return what people want to know at the end of a run, and whether it has failed."""
        problems = self.problems
        failed = [f"  FAILED: {problem}" for problem in problems]
        return "\n".join(["", *self.figures, *failed, "FAILED" if problems else "passed"])


def steady_report(options: Options, outcome: Outcome) -> Report:
    """Make the report of a run that nothing disturbs."""
    content = counted(options, outcome)
    failures = outcome.journal.failures
    content["failures"] = told(failures)
    content["problems"] = [
        *violated(outcome),
        *([f"{len(failures)} failures without a fault"] if failures else []),
        *grown(outcome, "emulator", "functions"),
    ]
    return Report(content, figures(content))


def chaos_report(
    options: Options,
    outcome: Outcome,
    windows: Sequence[Window],
    leaps: Sequence[tuple[float, float]],
) -> Report:
    """Make the report of a run that faults disturb.

    Args:
        options: What was chosen.
        outcome: What the run came to.
        windows: The faults.
        leaps: From when until when the clock leapt between them.
    """
    content = counted(options, outcome)
    unexpected = unexcused(outcome.journal.failures, windows, leaps)
    content["failures"] = told(unexpected)
    content["faults"] = [
        _row([window for window in windows if window.fault.name == name], outcome)
        for name in dict.fromkeys(window.fault.name for window in windows)
    ]
    content["problems"] = [
        *violated(outcome),
        *([f"{len(unexpected)} failures that no fault explains"] if unexpected else []),
        *(f"{each.fault.name}: not as before in time" for each in windows if each.too_slow),
    ]
    return Report(content, figures(content))


def environment() -> Json:
    """Return on what a run took place."""
    return {
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in _PACKAGES},
        },
        "machine": {"cores": os.cpu_count(), "system": platform.system()},
    }


def counted(options: Options, outcome: Outcome) -> Json:
    """Return what every run with traffic tells."""
    ledger, journal, verdict = outcome.ledger, outcome.journal, outcome.verdict
    sent = ledger.messages.values()
    return {
        "seed": options.seed,
        "clients": options.clients,
        "seconds": round(outcome.seconds, 1),
        **environment(),
        "counts": dict(sorted(journal.counts.items())),
        "messages": {"sent": len(sent), "accepted": sum(each.accepted for each in sent)},
        "deliveries": {
            "received": verdict.received,
            "due": verdict.expected,
            "patienceSeconds": PATIENCE,
            "violations": verdict.counts,
        },
        "violations": [_violation(each) for each in verdict.violations[:_SHOWN]],
        "milliseconds": {
            "delivery": percentiles(list(ledger.latencies())),
            **{name: percentiles(taken) for name, taken in sorted(journal.durations.items())},
        },
        "cpu": {
            "machine": round(outcome.sampler.machine_share(), 3),
            **{
                name: round(series.cpu_seconds / outcome.seconds, 3)
                for name, series in outcome.sampler.series.items()
            },
        },
        "memory": {name: _memory(series) for name, series in outcome.sampler.series.items()},
    }


def figures(content: Json) -> list[str]:
    """Return what people want to know of a run with traffic, line by line."""
    deliveries, latency = content["deliveries"], content["milliseconds"]
    return [
        (
            f"{content['clients']:,} clients, {content['seconds']:.0f} s,"
            f" seed {content['seed']}, CPU {content['cpu']['machine']:.0%}"
            f" of {content['machine']['cores']} cores"
        ),
        (
            f"  messages     {content['messages']['sent']:,} sent,"
            f" {content['messages']['accepted']:,} accepted,"
            f" {deliveries['received']:,} received, {deliveries['due']:,} of them due"
        ),
        "  deliveries   "
        + ", ".join(f"{count:,} {name}" for name, count in deliveries["violations"].items()),
        f"  latency      {milliseconds(latency['delivery'])}",
        (
            f"  negotiation  {content['counts'].get('negotiations', 0):,},"
            f" {milliseconds(latency.get('negotiation', {}))}"
        ),
        *(
            f"  memory       {name} {memory['megabytes'][-1]:.0f} MB,"
            f" {memory['growth']:+.1f} MB over the second half"
            for name, memory in content["memory"].items()
        ),
        *(f"  {row['fault']}: {row['measured']}" for row in content.get("faults", [])),
    ]


def _memory(series: Series) -> Json:
    return {
        "seconds": series.times,
        "megabytes": series.megabytes,
        "growth": round(growth(series.times, series.megabytes), 2),
    }


def violated(outcome: Outcome) -> list[str]:
    """Return what is wrong with deliveries, and with this program."""
    counts = outcome.verdict.counts
    violated = [f"{count} deliveries {name}" for name, count in counts.items() if count]
    mistakes = outcome.journal.mistakes
    return violated + ([f"this program failed: {mistakes[0]}"] if mistakes else [])


def grown(outcome: Outcome, *programs: str) -> list[str]:
    """Return which programs take more memory the longer they run."""
    if outcome.seconds < _JUDGED_SECONDS:
        return []
    problems = []
    for name in programs:
        series = outcome.sampler.series[name]
        more = growth(series.times, series.megabytes)
        limit = max(_GROWTH_MEGABYTES, _GROWTH_SHARE * series.megabytes[-1])
        if more > limit:
            problems.append(f"{name} grows: {more:.1f} MB over the second half")
    return problems


def _row(windows: Sequence[Window], outcome: Outcome) -> Json:
    """Say what a fault has done, all its times taken together."""
    fault = windows[0].fault
    caused = [
        failure
        for failure in outcome.journal.failures
        if any(window.excuses(failure) for window in windows)
    ]
    failed = Counter(failure.kind.value for failure in caused)
    sent = [
        message
        for message in outcome.ledger.messages.values()
        if any(window.overlaps(message.sent_at, message.settled_at) for window in windows)
    ]
    violations = Counter(
        each.kind.value
        for each in outcome.verdict.violations
        if any(window.overlaps(each.at, each.at) for window in windows)
    )
    row: Json = {
        "fault": fault.name,
        "promised": fault.promised,
        "times": len(windows),
        "negotiations": sum(window.negotiations for window in windows),
        "messages": len(sent),
        "accepted": sum(message.accepted for message in sent),
        "failures": dict(sorted(failed.items())),
        "violations": dict(violations),
        "servedAfter": round(max(window.recovery.served for window in windows), 1),
        "wellAfter": round(max(window.recovery.well for window in windows), 1),
        "backAfter": round(max(window.recovery.back for window in windows), 1),
    }
    return row | {"measured": _measured(row)}


def _measured(row: Mapping[str, Any]) -> str:
    failures, violations = row["failures"], row["violations"]
    refused = row["messages"] - row["accepted"]
    lost, doubled = violations.get("lost", 0), violations.get("doubled", 0)
    return (
        f"{failures.get('negotiation', 0):,} of {row['negotiations']:,} negotiations failed;"
        f" {row['accepted']:,} messages accepted and {refused:,} not;"
        f" {lost:,} lost, {doubled:,} doubled; {failures.get('loss', 0):,} connections ended;"
        f" served after {row['servedAfter']} s, well after {row['wellAfter']} s,"
        f" all clients back after {row['backAfter']} s"
    )


def told(failures: Sequence[Failure]) -> list[Json]:
    """Return failures for a report: what happened, and how often."""
    counted = Counter((failure.kind.value, failure.detail) for failure in failures)
    return [
        {"kind": kind, "detail": detail, "times": times}
        for (kind, detail), times in counted.most_common(_SHOWN)
    ]


def _violation(violation: Violation) -> Json:
    return {
        "kind": violation.kind.value,
        "message": violation.number,
        "client": violation.client,
        "connection": violation.connection_id,
    }


def milliseconds(figures: Mapping[str, float]) -> str:
    """Say percentiles."""
    return ", ".join(f"{name} {figure:.1f} ms" for name, figure in figures.items())
