"""How clients come back: the default of @microsoft/signalr, and a policy with jitter."""

import math
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.keys.backoff import backoff

from .assumptions import CONNECTIONS_OF_A_USER
from .limits import RECONNECT_DELAYS

__all__ = [
    "FIRST_SPREAD",
    "LONGEST_SPREAD",
    "Floats",
    "Ints",
    "ReconnectPolicy",
    "automatic_reconnect",
    "jittered",
    "users_of",
]

type Floats = npt.NDArray[np.float64]
type Ints = npt.NDArray[np.int64]

type ReconnectPolicy = Callable[[Ints, np.random.Generator], Floats]
"""Seconds before the next try of each client, by its failed tries so far; infinite when it gives
up."""

FIRST_SPREAD: Final = 10.0
"""Seconds over which clients with jitter spread their first try."""

LONGEST_SPREAD: Final = 60.0
"""Most seconds over which they spread a later one."""

_DELAYS: Final = np.array([*RECONNECT_DELAYS, math.inf])
_SPREADS: Final = np.array([backoff(n, FIRST_SPREAD, LONGEST_SPREAD, 1.0) for n in range(1, 8)])


def automatic_reconnect(tries: Ints, random: np.random.Generator) -> Floats:  # noqa: ARG001
    """Wait as `withAutomaticReconnect()` does."""
    waits: Floats = _DELAYS[np.minimum(tries, len(_DELAYS) - 1)]
    return waits


def jittered(tries: Ints, random: np.random.Generator) -> Floats:
    """Wait anything up to a bound that doubles, and never give up: the page's `IRetryPolicy`."""
    bounds = _SPREADS[np.minimum(tries, len(_SPREADS) - 1)]
    waits: Floats = bounds * random.random(len(tries))
    return waits


def users_of(clients: int, random: np.random.Generator) -> Ints:
    """Return the user of each client, so that users have one, two or three connections."""
    counts = random.choice(len(CONNECTIONS_OF_A_USER), clients, p=CONNECTIONS_OF_A_USER) + 1
    users: Ints = np.repeat(np.arange(clients), counts)[:clients]
    return users
