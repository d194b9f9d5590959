"""The table of docs/reliability.md that says what was measured. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["replace_table", "table"]

_BEGIN: Final = "<!-- chaos: begin, made by `python -m load report` -->"
_END: Final = "<!-- chaos: end -->"
_BETWEEN: Final = re.compile(f"{re.escape(_BEGIN)}.*{re.escape(_END)}", re.DOTALL)


def table(chaos: Mapping[str, Any], steady: Mapping[str, Any]) -> str:
    """Return what stands between the marks.

    Args:
        chaos: What docs/chaos.json holds.
        steady: What docs/load.json holds.
    """
    rows = [
        f"| {row['fault']} | {row['promised']} | {row['measured']} |" for row in chaos["faults"]
    ]
    return "\n".join(
        [
            _sentence("Without a fault", steady),
            "",
            _sentence("With all of these", chaos),
            "",
            "| fault | promised | measured |",
            "|---|---|---|",
            *rows,
        ]
    )


def replace_table(text: str, new: str) -> str:
    """Return a page with a new table between the marks.

    Raises:
        ValueError: The page has no marks.
    """
    if _BETWEEN.search(text) is None:
        raise ValueError(f"The page has no lines {_BEGIN!r} and {_END!r}")
    return _BETWEEN.sub(lambda _: f"{_BEGIN}\n\n{new}\n\n{_END}", text)


def _sentence(what: str, report: Mapping[str, Any]) -> str:
    deliveries = report["deliveries"]
    violations = deliveries["violations"]
    wrong = ", ".join(
        f"{count:,} {name}" for name, count in violations.items() if name != "unknown"
    )
    latency = report["milliseconds"]["delivery"]
    return (
        f"{what}: {report['clients']:,} clients, {report['seconds'] / 60:.0f} minutes, seed"
        f" {report['seed']}; {report['messages']['accepted']:,} messages,"
        f" {deliveries['received']:,} deliveries, {wrong}. Half of the deliveries took at most"
        f" {latency['p50']:.0f} ms, 99 % at most {latency['p99']:.0f} ms, on"
        f" {report['machine']['cores']} cores that were busy {report['cpu']['machine']:.0%} of the"
        " time."
    )
