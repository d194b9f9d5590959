"""Messages of a client, and what they take of processor and time."""

from collections.abc import Callable
from functools import partial
from time import perf_counter, process_time
from typing import Final

from .answers import serve

__all__ = ["ARGUMENTS", "cpu_and_rate", "serve_sends"]

ARGUMENTS: Final = ("x" * 1024,)
_MESSAGES: Final = 400


def serve_sends(send: Callable[[int], object]) -> None:
    """Answer with `cpu_and_rate`, again and again.

    Args:
        send: Sends as many messages as it is told.
    """
    serve(partial(cpu_and_rate, send))


def cpu_and_rate(send: Callable[[int], object]) -> list[float]:
    """Return the microseconds of processor time for a message, and messages a second.

    Args:
        send: Sends as many messages as it is told.
    """
    began, cpu = perf_counter(), process_time()
    send(_MESSAGES)
    cpu, took = process_time() - cpu, perf_counter() - began
    return [cpu / _MESSAGES * 1e6, _MESSAGES / took]
