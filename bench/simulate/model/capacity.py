"""What the published limits mean for a number of clients. Pure."""

import math
from dataclasses import dataclass
from typing import Final

from . import limits
from .assumptions import HEADROOM

__all__ = ["Need", "Purchase", "Workload", "need", "purchase"]

_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Workload:
    """What clients are connected, and what is sent to them.

    Args:
        clients: Connections at the same time.
        broadcasts: Messages to everyone, a minute.
        user_messages: Messages to each client alone, an hour.
        message_bytes: Size of a message.
        active_hours: Hours of the day in which all of this goes on.
    """

    clients: int
    broadcasts: float = 1.0
    user_messages: float = 6.0
    message_bytes: int = 1_024
    active_hours: float = 24.0


@dataclass(frozen=True, slots=True)
class Need:
    """What a workload asks of the service.

    Args:
        by_connections: Units for the connections.
        by_bandwidth: Units for what is sent out when every client receives at once.
        by_user_sends: Units for messages to users through the REST API.
        outbound_rate: Messages a second that reach clients, on average.
        messages_a_day: Messages a day as they are billed, in slices of 2 KB.
    """

    by_connections: int
    by_bandwidth: int
    by_user_sends: int
    outbound_rate: float
    messages_a_day: int

    def units_of_each(self, endpoints: int) -> int:
        """Return the units of each endpoint that are enough for all of it.

        Args:
            endpoints: How many share the clients. Sends to users are not shared, since the app
                sends them to every endpoint.
        """
        shared = max(self.by_connections, self.by_bandwidth)
        headroom = HEADROOM if endpoints > 1 else 1.0
        # Rounded first, since 1.1 has no exact float and a unit must not come of that.
        return max(math.ceil(round(shared * headroom / endpoints, 6)), self.by_user_sends)


@dataclass(frozen=True, slots=True)
class Purchase:
    """What is bought.

    Args:
        tier: Name of the tier.
        endpoints: Instances of the service.
        units: Units of each.
    """

    tier: str
    endpoints: int
    units: int

    @property
    def total(self) -> int:
        """Units of all instances."""
        return self.endpoints * self.units


def need(workload: Workload) -> Need:
    """Return what a workload asks of the service."""
    user_rate = workload.clients * workload.user_messages / 3_600
    outbound = workload.clients * workload.broadcasts / 60 + user_rate
    slices = math.ceil(workload.message_bytes / limits.BILLED_SLICE)
    active = workload.active_hours / 24 * _DAY
    return Need(
        by_connections=_units(workload.clients, limits.CONNECTIONS_A_UNIT),
        by_bandwidth=_units(outbound * workload.message_bytes, limits.OUTBOUND_BYTES_A_UNIT),
        by_user_sends=_units(user_rate, limits.USER_SENDS_A_UNIT),
        outbound_rate=outbound,
        messages_a_day=round(outbound * active * slices),
    )


def purchase(workload: Workload, endpoints: int = 1, *, may_fail: int = 0) -> Purchase:
    """Return the smallest instances that carry a workload.

    Args:
        workload: What they carry together.
        endpoints: Instances of the service; more where the largest instance is too small.
        may_fail: How many of them can fail while the others still carry all.

    Raises:
        ValueError: No endpoint would be left.
    """
    if may_fail >= endpoints:
        raise ValueError(f"{may_fail} of {endpoints} endpoints may not fail")
    needed = need(workload)
    if (endpoints, may_fail) == (1, 0) and _fits_free(workload.clients, needed):
        return Purchase("Free", 1, 1)
    each = needed.units_of_each(endpoints - may_fail)
    for tier, sizes in limits.SIZES.items():
        units = next((size for size in sizes if size >= each), None)
        if units is not None:
            return Purchase(tier, endpoints, units)
    return purchase(workload, endpoints + 1, may_fail=may_fail)


def _fits_free(clients: int, needed: Need) -> bool:
    few = clients <= limits.FREE_CONNECTIONS
    return few and needed.messages_a_day <= limits.FREE_MESSAGES_A_DAY


def _units(amount: float, each: float) -> int:
    return max(1, math.ceil(amount / each))
