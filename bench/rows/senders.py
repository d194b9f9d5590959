"""Messages sent by several threads over connections that are kept open."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests
from requests.adapters import HTTPAdapter

__all__ = ["MESSAGES", "Send", "by_threads", "session"]

MESSAGES = 400
"""Messages of one turn, of all threads together."""

type Send = Callable[[], object]
"""Sends one message."""


def by_threads(pool: ThreadPoolExecutor, threads: int, send: Send) -> Callable[[int], object]:
    """Return what sends as many messages as it is told, each thread the same number."""

    def loop(messages: int) -> None:
        for _ in range(messages):
            send()

    return lambda messages: list(pool.map(loop, [messages // threads] * threads))


def session(threads: int) -> requests.Session:
    """Return a session of requests with a connection for each thread."""
    made = requests.Session()
    made.mount("http://", HTTPAdapter(pool_maxsize=threads))
    return made
