"""An endpoint fails, and its clients come back: the reconnect storm."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.endpoints.health import CHECK_INTERVAL

from .assumptions import CONNECT_TIME, NEGOTIATING_PROCESSES, NOTICE
from .clients import Floats, Ints, ReconnectPolicy
from .limits import CONNECTIONS_A_UNIT
from .routing import Routing, noticed_after, split_share

__all__ = ["Outage", "Site", "simulate_outage"]

_TICK: Final = 0.25
"""Seconds of one step."""

_FAILED: Final = 0
"""The endpoint that fails."""


@dataclass(frozen=True, slots=True)
class Site:
    """Endpoints of one size behind one function.

    Args:
        endpoints: How many there are.
        units: Units of each, which bound its connections.
        routing: Where the function sends a client.
    """

    endpoints: int
    units: int
    routing: Routing

    @property
    def limit(self) -> int:
        """Connections that an endpoint can have."""
        return self.units * CONNECTIONS_A_UNIT

    def view(self, *, failed: bool) -> tuple[bool, ...]:
        """Return which endpoints a process holds for healthy."""
        return (not failed, *[True] * (self.endpoints - 1))


@dataclass(frozen=True, slots=True)
class Outage:
    """What came of it.

    Args:
        negotiations: Negotiate requests in each second since the failure.
        connections: Connections at each endpoint at the end of each second.
        places: The endpoint of each client in the end, or -1.
        moved: Clients that are at another endpoint in the end than before.
        moved_in_vain: Those among them whose endpoint had not failed.
        split_before: Share of the users with several connections that are at several endpoints.
        split_after: The same in the end.
        half_back: Seconds until half of the clients that lost their connection have one again.
        nearly_all_back: Seconds until 99 of 100 have; infinite when that does not come.
        gave_up: Clients without a connection that try no more.
        limit: Connections that an endpoint can have.
    """

    negotiations: Ints
    connections: Ints
    places: Ints
    moved: int
    moved_in_vain: int
    split_before: float
    split_after: float
    half_back: float
    nearly_all_back: float
    gave_up: int
    limit: int

    @property
    def peak(self) -> int:
        """Most negotiate requests in a second."""
        return int(self.negotiations.max())


def simulate_outage(
    users: Ints,
    site: Site,
    policy: ReconnectPolicy,
    random: np.random.Generator,
    *,
    seconds: int = 120,
) -> Outage:
    """Let the first endpoint reset all connections and take no more.

    Args:
        users: The user of each client.
        site: Where the clients are connected.
        policy: How clients come back.
        random: The source of chance.
        seconds: How long to look.
    """
    before = site.routing(users, site.view(failed=False))
    lost = np.flatnonzero(before == _FAILED)
    places = before.copy()
    places[lost] = -1
    noticed = _noticed(random)
    tries = np.zeros(len(users), np.int64)
    due: Floats = np.full(len(users), np.inf)
    due[lost] = random.uniform(0.0, NOTICE, len(lost)) + policy(tries[lost], random)
    back = np.full(len(users), np.inf)
    negotiations = np.zeros(seconds, np.int64)
    connections = np.zeros((seconds, site.endpoints), np.int64)
    for end in np.arange(_TICK, seconds + _TICK / 2, _TICK):
        second = int(end - _TICK)
        asking = np.flatnonzero(due < end)
        asking = asking[np.argsort(due[asking], kind="stable")]
        negotiations[second] += len(asking)
        process = random.integers(len(noticed), size=len(asking))
        offered = _offered(users[asking], due[asking] >= noticed[process], site)
        taken = _admitted(offered, places, site)
        places[asking[taken]] = offered[taken]
        back[asking[taken]] = due[asking[taken]] + CONNECT_TIME
        due[asking[taken]] = np.inf
        again = asking[~taken]
        tries[again] += 1
        due[again] += CONNECT_TIME + policy(tries[again], random)
        connections[second] = np.bincount(places[places >= 0], minlength=site.endpoints)
    moved = (places >= 0) & (places != before)
    return Outage(
        negotiations=negotiations,
        connections=connections,
        places=places,
        moved=int(moved.sum()),
        moved_in_vain=int((moved & (before != _FAILED)).sum()),
        split_before=split_share(users, before),
        split_after=split_share(users, places),
        half_back=_time_of(back[lost], 0.5),
        nearly_all_back=_time_of(back[lost], 0.99),
        gave_up=int(((places < 0) & np.isinf(due)).sum()),
        limit=site.limit,
    )


def _noticed(random: np.random.Generator) -> Floats:
    """Return after how many seconds each process knows of the failure."""
    first_checks = random.uniform(0.0, CHECK_INTERVAL, NEGOTIATING_PROCESSES).tolist()
    return np.array([noticed_after(each, up=False) for each in first_checks])


def _offered(users: Ints, knows: npt.NDArray[np.bool_], site: Site) -> Ints:
    """Return the endpoint that each client is sent to, by what its process knows."""
    offered = np.full(len(users), _FAILED, np.int64)
    for failed in (False, True):
        met = knows == failed
        offered[met] = site.routing(users[met], site.view(failed=failed))
    return offered


def _admitted(offered: Ints, places: Ints, site: Site) -> npt.NDArray[np.bool_]:
    """Tell which of the clients get a connection, first come, first served."""
    taken = np.zeros(len(offered), np.bool_)
    for endpoint in range(_FAILED + 1, site.endpoints):
        room = max(0, site.limit - int((places == endpoint).sum()))
        taken[np.flatnonzero(offered == endpoint)[:room]] = True
    return taken


def _time_of(times: Floats, share: float) -> float:
    """Return when a share of the times is over; no mean of two, since one may be infinite."""
    return float(np.sort(times)[math.ceil(share * len(times)) - 1]) if len(times) else 0.0
