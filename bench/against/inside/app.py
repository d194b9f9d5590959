"""The function app in Microsoft's worker library: indexed, cold and hot."""

import asyncio
import logging
import sys
from pathlib import Path
from time import perf_counter, process_time

from funchost.worker.functions import Function, IndexingError
from funchost.worker.messages import HttpRequest
from funchost.worker.runtime import Worker

from .answers import answer, serve

__all__ = ["main"]

_REQUEST = HttpRequest(
    "POST",
    "http://localhost:7071/api/negotiate?negotiateVersion=1",
    {"content-type": "text/plain;charset=UTF-8", "x-ms-client-principal-id": "ann"},
    {"negotiateVersion": "1"},
)
_CALLS = 100


def main(what: str) -> None:
    """Answer with what indexing, a first negotiation or a hot one takes.

    Args:
        what: `index`, in milliseconds of time and of processor time; `first`, in milliseconds of
            processor time since the process began, as whoever waits for the answer takes the time;
            or `hot`, in microseconds of one negotiation.
    """
    # As in Azure, where the host filters by level before anything is formatted.
    logging.basicConfig(level=logging.ERROR)
    with asyncio.Runner() as runner:
        worker = Worker()
        began, cpu = perf_counter(), process_time()
        functions = runner.run(_indexed(worker))
        if what == "index":
            answer([(perf_counter() - began) * 1e3, (process_time() - cpu) * 1e3])
        else:
            _negotiate(runner, worker, functions, is_hot=what == "hot")
        worker.stop()


async def _indexed(worker: Worker) -> tuple[Function, ...]:
    try:
        return await worker.start(Path(sys.path[0]))
    except IndexingError as error:
        raise LookupError(str(error)) from error


def _negotiate(
    runner: asyncio.Runner, worker: Worker, functions: tuple[Function, ...], *, is_hot: bool
) -> None:
    negotiate = next((each for each in functions if each.route == "negotiate"), None)
    if negotiate is None:
        raise LookupError("no route negotiate")

    async def invoke(calls: int) -> None:
        for _ in range(calls):
            response = await worker.invoke(negotiate, _REQUEST)
            if response.status != 200:  # noqa: PLR2004  anything else is not what is measured
                raise RuntimeError(f"negotiate answered {response.status}")

    def measure() -> list[float]:
        began = perf_counter()
        runner.run(invoke(_CALLS))
        return [(perf_counter() - began) / _CALLS * 1e6]

    if is_hot:
        serve(measure)
    else:
        runner.run(invoke(1))
        answer([process_time() * 1e3])
