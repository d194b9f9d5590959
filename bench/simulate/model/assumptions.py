"""What the simulation takes for granted where nothing is published. The page lists them."""

from typing import Final

__all__ = [
    "CONNECTIONS_OF_A_USER",
    "CONNECTION_LIFE",
    "CONNECT_TIME",
    "HEADROOM",
    "NEGOTIATING_PROCESSES",
    "NOTICE",
    "START_TIME",
    "WORKER_SECONDS",
]

CONNECTIONS_OF_A_USER: Final = (0.6, 0.3, 0.1)
"""Shares of users with one, two and three connections: tabs and devices."""

NOTICE: Final = 0.25
"""Seconds within which clients notice, evenly, that their endpoint has reset its connections."""

CONNECT_TIME: Final = 0.25
"""Seconds from the negotiate request until the client is connected or refused."""

NEGOTIATING_PROCESSES: Final = 50
"""Processes that negotiate, each with an access key and with health checks of its own, which began
at any time."""

CONNECTION_LIFE: Final = 3_600.0
"""Mean seconds for which a client stays connected while nothing fails (exponential)."""

HEADROOM: Final = 1.1
"""Units beyond an even share, since neither hashing nor dice divide clients evenly."""

START_TIME: Final = 5.0
"""Seconds until a new function instance answers; users report 0.4 to 10
(Azure/azure-functions-host#11526)."""

WORKER_SECONDS: Final = 38.5e-6
"""Seconds of the worker process that a hot negotiation takes: a median of many runs on a quiet
machine. The run in docs/performance.md is one, and differs by what else the machine had to do."""
