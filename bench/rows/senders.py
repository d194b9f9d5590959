"""Requests made several at a time: by threads over kept connections, or of an app's function."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests
from requests.adapters import HTTPAdapter

from funchost.worker.functions import Function
from funchost.worker.messages import HttpRequest
from funchost.worker.runtime import Worker

__all__ = ["MESSAGES", "THREADS", "Send", "by_threads", "invoke_together", "session"]

MESSAGES = 400
"""Messages of one turn, of all threads together."""

THREADS = 8
"""Messages at a time."""

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


async def invoke_together(
    worker: Worker, function: Function, request: HttpRequest, *, status: int, calls: int
) -> None:
    """Invoke a function as often as is asked, several times at once.

    Args:
        worker: Has the function.
        function: The function.
        request: What it is asked each time.
        status: What it has to answer.
        calls: How often, all together.

    Raises:
        RuntimeError: It answers something else.
    """

    async def invoke() -> None:
        for _ in range(calls // THREADS):
            response = await worker.invoke(function, request)
            if response.status != status:
                raise RuntimeError(f"{function.name} answered {response.status}")

    await asyncio.gather(*(invoke() for _ in range(THREADS)))
