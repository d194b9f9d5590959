"""An event loop on a thread of its own, for those who block."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

from ..errors import ServiceUnavailableError

__all__ = ["LoopThread"]


class LoopThread:
    """Runs coroutines for threads that wait for them. It begins with the first."""

    def __init__(self) -> None:
        self.after_fork()

    def after_fork(self) -> None:
        """Make it usable in a child process, where its thread is gone."""
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def result[T](self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine with the caller's context variables and return what it returns.

        Raises:
            ServiceUnavailableError: The system has no thread to give.
        """
        try:
            loop = self._running_loop()
        except RuntimeError as error:
            coroutine.close()
            raise ServiceUnavailableError(
                f"No thread for the requests: {error}", retry_after=1
            ) from error
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result()

    def close(self) -> None:
        """End the thread, after what others still wait for."""
        loop = self._loop
        if loop is None:
            return
        self.result(_rest())
        loop.call_soon_threadsafe(loop.stop)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                # Nobody has to close it for the process to end.
                thread = threading.Thread(
                    target=_run, args=(loop,), name="signalr-loop", daemon=True
                )
                try:
                    thread.start()
                except RuntimeError:
                    loop.close()
                    raise
                # Not before, so that a loop without a thread is not taken for one that runs.
                self._loop = loop
            return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()


async def _rest() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others)
