"""An event loop on a thread of its own, for those who block."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from ..errors import ServiceUnavailableError

__all__ = ["LoopThread"]


def _nothing() -> None:
    pass


class LoopThread:
    """Runs coroutines for threads that wait for them. It begins with the first."""

    def __init__(self) -> None:
        self.after_fork()

    def after_fork(self) -> None:
        """Make it usable in a child process, where its thread is gone."""
        self._changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._under_way = 0
        self._is_closed = False

    def result[T](self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine with the caller's context variables and return what it returns.

        Raises:
            ServiceUnavailableError: The system has no thread to give, or it is closed.
        """
        try:
            loop = self.begin()
        except ServiceUnavailableError:
            coroutine.close()
            raise
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, loop).result()
        finally:
            self.end()

    def close(self, last: Callable[[], None] = _nothing) -> None:
        """End the thread, after what others still wait for; what comes now is refused.

        Args:
            last: Is called on the event loop at its end.
        """
        with self._changed:
            self._is_closed = True
            while self._under_way:
                self._changed.wait()
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.call_soon_threadsafe(last)
            loop.call_soon_threadsafe(loop.stop)

    def begin(self) -> asyncio.AbstractEventLoop:
        """Return the loop for something more, which it does not end before `end` is called.

        Raises:
            ServiceUnavailableError: The system has no thread to give, or it is closed.
        """
        with self._changed:
            if self._is_closed:
                raise _refusal("the client is closed")
            if self._loop is None:
                loop = asyncio.new_event_loop()
                # Nobody has to close it for the process to end.
                thread = threading.Thread(
                    target=_run, args=(loop,), name="signalr-loop", daemon=True
                )
                try:
                    thread.start()
                except RuntimeError as error:
                    loop.close()
                    raise _refusal(str(error)) from error
                # Not before, so that a loop without a thread is not taken for one that runs.
                self._loop = loop
            self._under_way += 1
            return self._loop

    def end(self) -> None:
        """Take note that something is over, for which `begin` gave the loop."""
        with self._changed:
            self._under_way -= 1
            if self._is_closed:
                self._changed.notify_all()


def _refusal(why: str) -> ServiceUnavailableError:
    return ServiceUnavailableError(f"No thread for the requests: {why}", retry_after=1)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()
