"""Messages by `POST /api/broadcast` to a build's own local Functions host, in a process of its own.

Figures are the microseconds of processor time that the host has taken for a message, and messages a
second.
"""

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Final

from ..rows.senders import by_threads, session
from .build import Build
from .measurement import Slice, Surroundings
from .process import UnmeasurableError, server

__all__ = ["broadcasts"]

_READY: Final = re.compile(r"Functions host ready on (\S+)")
_MESSAGE: Final = {"target": "newMessage", "arguments": ["x" * 1024]}
_ACCEPTED: Final = 202


def broadcasts(
    *, messages: int, requests: int, threads: int
) -> Callable[[Build, Surroundings], AbstractContextManager[Slice]]:
    """Return the start of a measurement of requests with so many messages each.

    Args:
        messages: In one request: 1, or a list of them, each to a user.
        requests: In one slice.
        threads: That send them.
    """
    users = [{**_MESSAGE, "userId": f"user{number}"} for number in range(messages)]
    body = json.dumps(_MESSAGE if messages == 1 else users).encode()

    @contextmanager
    def start(build: Build, around: Surroundings) -> Iterator[Slice]:
        with (
            tempfile.TemporaryDirectory() as folder,
            ThreadPoolExecutor(threads) as pool,
            session(threads) as posting,
        ):
            # Not the one that lies in the app's folder, if there is one.
            settings = Path(folder, "local.settings.json")
            settings.write_text('{"IsEncrypted": false, "Values": {}}')
            options = ("--app-dir", str(build.root), "--port", "0", "--settings", str(settings))
            with server(build, "funchost", *options, settings=around.answering) as process:
                url = f"{process.until(_READY)[1]}/api/broadcast"

                def send() -> None:
                    answer = posting.post(
                        url, body, headers={"Content-Type": "application/json"}, timeout=60
                    )
                    if answer.status_code != _ACCEPTED:
                        reason = f"broadcast answered {answer.status_code}"
                        raise UnmeasurableError(build, f"fails in that build: {reason}")

                sending = by_threads(pool, threads, send)

                def measure() -> list[float]:
                    cpu, began = process.cpu(), perf_counter()
                    sending(requests)
                    took = perf_counter() - began
                    count = requests * messages
                    return [(process.cpu() - cpu) / count * 1e6, count / took]

                measure()
                yield measure

    return start
