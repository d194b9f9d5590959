"""The endpoint is back: its users return one by one, as their connections end for other reasons."""

from dataclasses import dataclass

import numpy as np

from .assumptions import CONNECTION_LIFE
from .clients import Floats, Ints
from .routing import Routing, split_share

__all__ = ["Recovery", "simulate_recovery"]


@dataclass(frozen=True, slots=True)
class Recovery:
    """How the clients of an endpoint come back to it.

    Args:
        minutes: Minutes since it is up again.
        home: Share of the endpoint's own clients that are back, at each of these minutes.
        split: Share of users with several connections that are at two endpoints, likewise.
    """

    minutes: Ints
    home: Floats
    split: Floats


def simulate_recovery(
    users: Ints,
    endpoints: int,
    routing: Routing,
    random: np.random.Generator,
    *,
    close_after: float | None = None,
    minutes: int = 180,
) -> Recovery:
    """Let clients that live at other endpoints find the first one healthy again.

    Args:
        users: The user of each client.
        endpoints: How many there are.
        routing: Where the function sends a client.
        random: The source of chance.
        close_after: Seconds after which the service closes a connection whatever happens, or
            `None` when it closes none. Connections are of any age when the endpoint comes back.
        minutes: How long to look.
    """
    home = routing(users, (True,) * endpoints)
    away = routing(users, (False, *[True] * (endpoints - 1)))
    ends = random.exponential(CONNECTION_LIFE, len(users))
    if close_after is not None:
        ends = np.minimum(ends, random.uniform(0.0, close_after, len(users)))
    displaced = home == 0
    grid = np.arange(minutes + 1)
    back, split = np.zeros(len(grid)), np.zeros(len(grid))
    for minute in grid:
        returned = ends < minute * 60
        back[minute] = returned[displaced].mean()
        split[minute] = split_share(users, np.where(returned, home, away))
    return Recovery(grid, back, split)
