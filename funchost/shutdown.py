"""Graceful shutdown: requests that run may finish within a time, unless the end is forced."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Final, NoReturn

__all__ = ["GRACE_SECONDS", "StopSignals", "exit_now", "returns_within"]

GRACE_SECONDS: Final = 10.0


if sys.platform == "win32":
    # The last one is what another process sends, as SIGTERM would end this one without a word.
    _ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGBREAK)
else:
    _ENDINGS: Final = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """SIGINT and SIGTERM: the first one requests a graceful shutdown, the same one again forces it.

    One of each forces nothing: after Ctrl-C on a terminal, which tells every process of the
    group, whoever started the host often sends SIGTERM too.
    """

    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self.forced = asyncio.Event()
        self._seen: set[int] = set()

    def listen(self) -> None:
        """Take the signals over on the running event loop."""
        loop = asyncio.get_running_loop()
        for number in _ENDINGS:
            try:
                loop.add_signal_handler(number, self._receive, number)
            except NotImplementedError:
                # The event loop of Windows has no signal handlers of its own.
                signal.signal(
                    number, lambda seen, _: loop.call_soon_threadsafe(self._receive, seen)
                )

    def _receive(self, number: int) -> None:
        (self.forced if number in self._seen else self.requested).set()
        self._seen.add(number)


def returns_within(seconds: float, call: Callable[[], object]) -> bool:
    """Make a call that may block, and tell whether it returned in time.

    Args:
        seconds: How long to wait for it.
        call: What is called, in a thread that does not keep the process alive.
    """
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def exit_now() -> NoReturn:
    """End the process at once.

    A sync function cannot be interrupted, and the interpreter would wait for its thread for ever.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
