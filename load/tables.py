"""What docs/reliability.md says was measured. Pure."""

from collections.abc import Mapping
from typing import Any

__all__ = ["tables"]


def tables(
    chaos: Mapping[str, Any],
    steady: Mapping[str, Any],
    storm: Mapping[str, Any],
    server_connections: Mapping[str, Any],
) -> Mapping[str, str]:
    """Return what the page says of the runs, in Markdown, by its name there.

    Args:
        chaos: What docs/chaos.json holds.
        steady: What docs/load.json holds.
        storm: What docs/storm.json holds.
        server_connections: What docs/server-connections.json holds.
    """
    rows = [
        f"| {row['fault']} | {row['promised']} | {row['measured']} |" for row in chaos["faults"]
    ]
    lines = [
        _sentence("Without a fault", steady),
        "",
        _sentence("With all of these", chaos),
        "",
        "| fault | promised | measured |",
        "|---|---|---|",
        *rows,
    ]
    return {
        "chaos": "\n".join(lines),
        "storm": "\n".join(_storm(storm)),
        "server_connections": "\n".join(_breaks(server_connections)),
    }


def _storm(report: Mapping[str, Any]) -> list[str]:
    taken = report["milliseconds"]
    clients, renewed, stayed = report["clients"], report["renewed"], report["stayed"]
    times = " | ".join(f"{taken[name] / 1000:.1f} s" for name in ("p50", "p99", "max"))
    return [
        "| clients | not renewed | not connected past the old end | p50 | p99 | longest |",
        "|---|---|---|---|---|---|",
        f"| {clients:,} | {clients - renewed:,} | {clients - stayed:,} | {times} |",
    ]


def _breaks(report: Mapping[str, Any]) -> list[str]:
    breaks, away = report["breaks"], report["breaks"]["backMilliseconds"]
    times = " | ".join(f"{away[name] / 1000:.1f} s" for name in ("p50", "p99", "max"))
    return [
        _sentence(f"With {breaks['times']} breaks", report),
        "",
        (
            "| clients that lost their connection | away p50 | p99 | longest | messages in flight,"
            " of the app | of clients | of these came to somebody |"
        ),
        "|---|---|---|---|---|---|---|",
        (
            f"| {breaks['losses']:,} | {times} | {breaks['inFlight']:,} | {breaks['cutOff']:,} |"
            f" {breaks['arrived']:,} |"
        ),
    ]


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
