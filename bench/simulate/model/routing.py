"""Where clients are sent: by the app's own router, or as the dice fall."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from shared.endpoints.health import CHECK_INTERVAL, DOUBT_INTERVAL, Health
from shared.endpoints.router import Candidate, RendezvousRouter
from shared.settings.endpoint import Endpoint

from .clients import Ints

__all__ = ["Affinity", "Dice", "Routing", "noticed_after", "split_share"]


class Routing(Protocol):
    """Chooses an endpoint for each of some clients."""

    def __call__(self, users: Ints, healthy: tuple[bool, ...]) -> Ints:
        """Return the index of each client's endpoint.

        Args:
            users: The user of each client.
            healthy: Which endpoints the function holds for healthy.
        """


class Affinity:
    """The app's `RendezvousRouter`, asked once for each user and view of the endpoints.

    Args:
        endpoints: How many there are.
    """

    def __init__(self, endpoints: int) -> None:
        self._endpoints = [
            Endpoint(f"https://endpoint-{number}.service.signalr.net", name=f"endpoint-{number}")
            for number in range(endpoints)
        ]
        self._numbers = {endpoint: number for number, endpoint in enumerate(self._endpoints)}
        self._router = RendezvousRouter()
        self._known: dict[tuple[bool, ...], dict[int, int]] = {}

    def __call__(self, users: Ints, healthy: tuple[bool, ...]) -> Ints:
        """Return the index of each client's endpoint."""
        known = self._known.setdefault(healthy, {})
        candidates = [
            Candidate(each, healthy=up) for each, up in zip(self._endpoints, healthy, strict=True)
        ]
        return np.array([self._home(user, candidates, known) for user in users.tolist()], np.int64)

    def _home(self, user: int, candidates: Sequence[Candidate], known: dict[int, int]) -> int:
        home = known.get(user)
        if home is None:
            chosen = self._router(candidates, "chat", f"user-{user}")[0]
            home = known[user] = self._numbers[chosen]
        return home


class Dice:
    """Any healthy endpoint: the SDK for .NET while it knows no endpoint's load.

    Args:
        random: The dice.
    """

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random

    def __call__(self, users: Ints, healthy: tuple[bool, ...]) -> Ints:
        """Return the index of each client's endpoint."""
        candidates = np.flatnonzero(healthy)
        chosen: Ints = candidates[self._random.integers(len(candidates), size=len(users))]
        return chosen


def noticed_after(first_check: float, *, up: bool, check_time: float = 0.0) -> float:
    """Return the seconds until a process notices that an endpoint has failed or recovered.

    Args:
        first_check: Seconds until its next health check.
        up: Whether the endpoint has recovered, or else failed.
        check_time: Seconds that a check takes.
    """
    health = Health()
    while health.healthy == up:
        health.observe(not up)
    now = first_check
    while True:
        now += check_time
        health.observe(up)
        if health.healthy == up:
            return now
        now += DOUBT_INTERVAL if health.in_doubt else CHECK_INTERVAL


def split_share(users: Ints, places: Ints) -> float:
    """Return the share of users with several connections that are at more than one endpoint.

    Args:
        users: The user of each client.
        places: The endpoint of each; negative for one that is not connected.
    """
    connected = places >= 0
    users, places = users[connected], places[connected]
    count = np.bincount(users)
    first = np.full(len(count), np.iinfo(np.int64).max)
    last = np.full(len(count), -1)
    np.minimum.at(first, users, places)
    np.maximum.at(last, users, places)
    several = count > 1
    return float(np.mean(first[several] != last[several])) if several.any() else 0.0
