"""Everything that a run finds out, from one seed."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from .model import capacity
from .model.assumptions import NEGOTIATING_PROCESSES, START_TIME
from .model.clients import Floats, Ints, automatic_reconnect, jittered, users_of
from .model.expiry import Herd, key_ages, simulate_herd
from .model.fleet import Backlog, Fleet, simulate_backlog
from .model.limits import (
    DEFAULT_MAX_INSTANCES,
    HIGHEST_MAX_INSTANCES,
    MEASURED_GROWTH,
    MEASURED_RATE,
    SLOW_GROWTH,
)
from .model.outage import Outage, Site, simulate_outage
from .model.recovery import Recovery, simulate_recovery
from .model.rotation import requests_each_minute, requests_while_down
from .model.routing import Affinity, Dice

__all__ = ["Series", "simulate"]

_ENDPOINTS: Final = 3
_ROTATING: Final = 1_000
_STORM_SECONDS: Final = 600


def _fleet(always_ready: int, most: int, growth: float) -> Fleet:
    return Fleet(MEASURED_RATE, always_ready, most, growth, START_TIME)


_FLEETS: Final = {
    "100 at most, 1 more a second": _fleet(0, DEFAULT_MAX_INSTANCES, SLOW_GROWTH),
    "1,000 at most, 17 more a second": _fleet(0, HIGHEST_MAX_INSTANCES, MEASURED_GROWTH),
    "the same, 100 always ready": _fleet(100, HIGHEST_MAX_INSTANCES, MEASURED_GROWTH),
}
"""Instances that serve a storm."""


@dataclass(frozen=True, slots=True)
class Series:
    """What a run finds out, by the names that plots and tables show.

    Args:
        outages: The reconnect storm by routing, client and size.
        recoveries: How clients return to an endpoint that is up again.
        herds: Connections that end with their tokens.
        rotations: Key requests in each minute, of a thousand processes.
        retries: Key requests in each second, of a thousand processes that get no answer.
        backlogs: Requests that wait for function instances.
    """

    outages: dict[str, Outage]
    recoveries: dict[str, Recovery]
    herds: dict[str, Herd]
    rotations: dict[str, Ints]
    retries: dict[str, Ints]
    backlogs: dict[str, Backlog]


def simulate(seed: int, clients: int) -> Series:
    """Run everything.

    Args:
        seed: Whatever chance decides comes from it, and comes out the same each time.
        clients: Clients of each simulation but the last, which has ten times as many.
    """
    users = users_of(clients, np.random.default_rng([seed, 0]))
    affinity = Affinity(_ENDPOINTS)
    return Series(
        _outages(users, affinity, seed),
        _recoveries(users, affinity, seed),
        _herds(clients, seed),
        *_rotations(seed),
        _backlogs(10 * clients),
    )


def _outages(users: Ints, affinity: Affinity, seed: int) -> dict[str, Outage]:
    workload = capacity.Workload(len(users), broadcasts=0, user_messages=0)
    enough = capacity.purchase(workload, _ENDPOINTS, may_fail=1).units
    short = capacity.purchase(workload, _ENDPOINTS).units
    outages = {}
    for routing_name in ("affinity", "dice"):
        for policy_name, policy in (("default", automatic_reconnect), ("jitter", jittered)):
            for size_name, units in (("enough", enough), ("short", short)):
                random = np.random.default_rng([seed, 1])
                routing = affinity if routing_name == "affinity" else Dice(random)
                site = Site(_ENDPOINTS, units, routing)
                name = f"{routing_name}, {policy_name}, {size_name}"
                outages[name] = simulate_outage(users, site, policy, random)
    return outages


def _recoveries(users: Ints, affinity: Affinity, seed: int) -> dict[str, Recovery]:
    closings = {"as connections end": None, "each closed after an hour": 3_600.0}
    return {
        name: simulate_recovery(
            users,
            _ENDPOINTS,
            affinity,
            np.random.default_rng([seed, 2]),
            close_after=close_after,
        )
        for name, close_after in closings.items()
    }


def _herds(clients: int, seed: int) -> dict[str, Herd]:
    young = np.zeros(NEGOTIATING_PROCESSES)
    mixed = key_ages(NEGOTIATING_PROCESSES, np.random.default_rng([seed, 3]))
    cases: dict[str, tuple[Floats, float, float]] = {
        "60 minutes, keys of one age": (young, 60.0, 0.0),
        "60 minutes, keys of any age": (mixed, 60.0, 0.0),
        "60 minutes, a fifth of spread, keys of one age": (young, 60.0, 0.2),
        "30 minutes, a fifth of spread, keys of one age": (young, 30.0, 0.2),
    }
    return {
        name: simulate_herd(
            clients,
            ages,
            np.random.default_rng([seed, 4]),
            lifetime_minutes=minutes,
            spread=spread,
        )
        for name, (ages, minutes, spread) in cases.items()
    }


def _rotations(seed: int) -> tuple[dict[str, Ints], dict[str, Ints]]:
    random = np.random.default_rng([seed, 5])
    return (
        {
            "without jitter": requests_each_minute(_ROTATING, lambda: 0.0, random),
            "with jitter": requests_each_minute(_ROTATING, random.random, random),
        },
        {
            "without jitter": requests_while_down(_ROTATING, lambda: 1.0, random),
            "with jitter": requests_while_down(_ROTATING, random.random, random),
        },
    )


def _backlogs(clients: int) -> dict[str, Backlog]:
    arrivals = np.zeros(_STORM_SECONDS)
    arrivals[:60] = clients / 60
    return {name: simulate_backlog(arrivals, fleet) for name, fleet in _FLEETS.items()}
