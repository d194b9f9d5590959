"""The tables of `docs/scaling.md`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from .model.calls import calls
from .model.capacity import Purchase, Workload, need, purchase
from .model.expiry import token_lifetime
from .model.fleet import instances_for, rate_of_an_instance
from .model.limits import QUOTA_UNITS, USER_SENDS_A_UNIT
from .summary import Summary

__all__ = ["tables"]

_NEVER: Final = "never"
_TEN: Final = 10
"""Seconds below which tenths are shown."""

_HOST_MILLISECONDS: Final = (0.0, 0.5, 1.0, 5.0, 25.0)
_SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)


def tables(results: Summary) -> Mapping[str, str]:
    """Return the page's tables in Markdown, by name.

    Args:
        results: The numbers of a run.
    """
    return {
        "units": _units(),
        "outages": _outages(results),
        "recoveries": _recoveries(results),
        "lifetimes": _lifetimes(),
        "herds": _herds(results),
        "rotations": _rotations(results),
        "instances": _instances(),
        "backlogs": _backlogs(results),
        "calls": _calls(),
    }


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _units() -> str:
    def row(clients: int) -> Sequence[str]:
        workload = Workload(clients)
        one = purchase(workload)
        needed = need(workload)
        user_rate = clients * workload.user_messages / 3_600
        return (
            _count(clients),
            _purchase(one),
            _purchase(purchase(workload, 3, may_fail=1)),
            f"{needed.messages_a_day / 1e6:,.1f} M",
            f"{needed.outbound_rate * workload.message_bytes / 1e6:,.2f} MB/s",
            f"{_count(user_rate)} of {_count(one.total * USER_SENDS_A_UNIT)} a second",
        )

    head = (
        *("clients", "one endpoint", "three, of which one may fail", "messages a day"),
        *("sent to clients on average", "sends to users"),
    )
    return _table(head, map(row, _SIZES))


def _purchase(bought: Purchase) -> str:
    units = "1 unit" if bought.units == 1 else f"{_count(bought.units)} units"
    several = f"{bought.endpoints} × " if bought.endpoints > 1 else ""
    beyond = "\\*" if bought.units > QUOTA_UNITS else ""
    return f"{bought.tier}, {several}{units}{beyond}"


def _outages(results: Summary) -> str:
    def row(case: str, numbers: Mapping[str, float | None]) -> Sequence[str]:
        routing, client, size = case.split(", ")
        return (
            "any endpoint" if routing == "dice" else routing,
            client,
            size,
            _count(numbers["peak"]),
            _count(numbers["negotiations"]),
            _seconds(numbers["half_back"]),
            _seconds(numbers["nearly_all_back"]),
            _count(numbers["without_connection"]),
            f"{_percent(numbers['split_before'])} → {_percent(numbers['split_after'])}",
        )

    head = (
        *("routing", "client", "units", "most negotiations in a second", "negotiations in all"),
        *("half are back after", "99 % after", "without a connection after two minutes"),
        "split users before → after",
    )
    return _table(head, [row(*each) for each in results["outages"].items()])


def _recoveries(results: Summary) -> str:
    head = ("", "at once", "15 minutes", "30 minutes", "1 hour", "2 hours", "split users at most")
    minutes = ("home_0", "home_15", "home_30", "home_60", "home_120", "split_at_most")
    return _table(
        head,
        [
            (case, *(_percent(numbers[each]) for each in minutes))
            for case, numbers in results["recoveries"].items()
        ],
    )


def _lifetimes() -> str:
    ages = (0, 20, 30, 40, 50, 59)
    return _table(
        ("minutes asked for", *(f"key {age} minutes old" for age in ages)),
        [
            (str(asked), *(f"{token_lifetime(age * 60, asked) / 60:.0f}" for age in ages))
            for asked in (10, 30, 60, 90)
        ],
    )


def _herds(results: Summary) -> str:
    head = (
        *("tokens", "shortest first token", "mean first token", "most renewals a second"),
        *("in the fifth hour", "mean"),
    )
    return _table(
        head,
        [
            (
                case,
                _minutes(numbers["shortest_minutes"]),
                _minutes(numbers["mean_minutes"]),
                _count(numbers["peak_rate"]),
                _count(numbers["last_hour_peak_rate"]),
                _count(numbers["mean_rate"]),
            )
            for case, numbers in results["herds"].items()
        ],
    )


def _rotations(results: Summary) -> str:
    head = (
        *("", "first rotation, most in a minute", "twelfth hour, most in a minute"),
        *("requests an hour", "unanswered: most in a second at first", "after three minutes"),
    )
    return _table(
        head,
        [
            (
                case,
                _count(numbers["first"]),
                _count(numbers["last"]),
                _count(numbers["hourly"]),
                _count(results["retries"][case]["at_first"]),
                _count(results["retries"][case]["later"]),
            )
            for case, numbers in results["rotations"].items()
        ],
    )


def _instances() -> str:
    minutes = (1, 5, 15)

    def row(milliseconds: float) -> Sequence[str]:
        rate = rate_of_an_instance(milliseconds / 1e3)
        return (
            f"{milliseconds:g} ms",
            _count(rate),
            *(_count(instances_for(1_000_000, each, rate)) for each in minutes),
        )

    head = (
        "the platform's own share of a request",
        "negotiations a second of an instance",
        *(f"instances for {each} minute{'s' if each > 1 else ''}" for each in minutes),
    )
    return _table(head, map(row, _HOST_MILLISECONDS))


def _backlogs(results: Summary) -> str:
    head = ("instances", "reached", "most requests waiting", "longest wait", "all served after")
    return _table(
        head,
        [
            (
                case,
                _count(numbers["instances"]),
                _count(numbers["most_waiting"]),
                _seconds(numbers["longest_wait"]),
                _seconds(numbers["served_after"]),
            )
            for case, numbers in results["backlogs"].items()
        ],
    )


def _calls() -> str:
    def row(instances: int, processes: int, endpoints: int) -> Sequence[str]:
        asked = calls(instances, processes, endpoints)
        return (
            _count(instances),
            str(processes),
            str(endpoints),
            _count(asked.key_requests_an_hour),
            f"{asked.at_one_resource_an_hour / 3_600:.2g}",
            _count(asked.tokens_a_day),
            str(asked.at_one_instance_at_once),
        )

    head = (
        *("instances", "processes of each", "endpoints", "key requests an hour"),
        *("a second at one SignalR resource", "Entra tokens a day", "at once in one instance"),
    )
    sizes = ((1, 1, 1), (10, 1, 1), (100, 1, 1), (100, 4, 3), (1_000, 1, 1), (1_000, 4, 3))
    return _table(head, [row(*each) for each in sizes])


def _count(number: float | None) -> str:
    return _NEVER if number is None else f"{number:,.0f}"


def _seconds(number: float | None) -> str:
    return _NEVER if number is None else f"{number:,.{0 if number >= _TEN else 1}f} s"


def _minutes(number: float | None) -> str:
    return _NEVER if number is None else f"{number:.0f} min"


def _percent(share: float | None) -> str:
    return _NEVER if share is None else f"{share * 100:.0f} %"
