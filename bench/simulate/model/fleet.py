"""How many function instances a storm of negotiations needs, and how long they take to come."""

import math
from dataclasses import dataclass

import numpy as np

from .assumptions import WORKER_SECONDS
from .clients import Floats

__all__ = ["Backlog", "Fleet", "instances_for", "rate_of_an_instance", "simulate_backlog"]


def rate_of_an_instance(host_seconds: float, worker_seconds: float = WORKER_SECONDS) -> float:
    """Return the negotiations a second that one core can do.

    Args:
        host_seconds: Seconds of the core that the platform takes for a request, before and after
            the worker: what nobody publishes.
        worker_seconds: Seconds that the worker process takes.
    """
    return 1 / (host_seconds + worker_seconds)


def instances_for(clients: int, minutes: float, rate: float) -> int:
    """Return the instances that let so many clients negotiate in so many minutes.

    Args:
        clients: How many come.
        minutes: In which they shall all be served.
        rate: Negotiations a second of one instance.
    """
    return max(1, math.ceil(clients / (minutes * 60) / rate))


@dataclass(frozen=True, slots=True)
class Fleet:
    """Instances that serve a storm.

    Args:
        rate: Negotiations a second of one.
        always_ready: How many are there when it begins.
        most: How many there can be.
        growth: How many are added each second, while requests wait.
        start_time: Seconds until an added one answers.
    """

    rate: float
    always_ready: int
    most: int
    growth: float
    start_time: float


@dataclass(frozen=True, slots=True)
class Backlog:
    """How a storm is served.

    Args:
        waiting: Requests that wait at the end of each second.
        instances: Instances that answer in each second.
        served_after: Seconds until the last request is answered; infinite if it is not in time.
        longest_wait: Seconds that the request waits which waits longest.
    """

    waiting: Floats
    instances: Floats
    served_after: float
    longest_wait: float


def simulate_backlog(arrivals: Floats, fleet: Fleet) -> Backlog:
    """Let requests wait in one line for instances that are added while they wait.

    Args:
        arrivals: Requests that come in each second.
        fleet: Who serves them.
    """
    seconds = len(arrivals)
    waiting, answering = np.zeros(seconds), np.zeros(seconds)
    asked = np.zeros(seconds)
    line = 0.0
    for second in range(seconds):
        started = second - math.ceil(fleet.start_time)
        added = asked[started] if started >= 0 else 0.0
        answering[second] = min(fleet.most, fleet.always_ready + added)
        served = min(line + arrivals[second], answering[second] * fleet.rate)
        line += arrivals[second] - served
        waiting[second] = line
        before = asked[second - 1] if second else 0.0
        asked[second] = before + (fleet.growth if line > 0 else 0.0)
    return Backlog(
        waiting, answering, _served_after(arrivals, waiting), _longest_wait(arrivals, waiting)
    )


def _served_after(arrivals: Floats, waiting: Floats) -> float:
    if waiting[-1] >= 1:
        return math.inf
    busy = np.flatnonzero((waiting >= 1) | (arrivals > 0))
    return float(busy[-1] + 1) if len(busy) else 0.0


def _longest_wait(arrivals: Floats, waiting: Floats) -> float:
    """Return the longest horizontal distance between what has come and what was answered."""
    come = np.cumsum(arrivals)
    answered = come - waiting
    if waiting[-1] >= 1:
        return math.inf
    seconds = np.arange(len(come))
    # The client that is last to come in a second is answered when so many have been.
    answered_at = np.searchsorted(answered, come - 0.5)
    return float(np.max((answered_at - seconds)[arrivals > 0], initial=0))
