"""The same client for tests without an event loop: it runs on one of its own, in a thread."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self

from ..documents.json_text import Json
from .async_client import AsyncClient, Received

__all__ = ["Client"]


class Client:
    """A client whose methods block; use it as a context, in which it is connected.

    Args:
        connected: Connects it, and disconnects it in the end.
    """

    # No generator, which the interpreter would end as it goes, when the thread runs no more.
    def __init__(self, connected: AbstractAsyncContextManager[AsyncClient]) -> None:
        self._connected = connected

    def __enter__(self) -> Self:
        """Connect."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._client = self._result(_entered(self._connected))
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Disconnect."""
        try:
            self._result(_left(self._connected))
        finally:
            self._stop()

    @property
    def connection_id(self) -> str:
        """Names its connection."""
        return self._client.connection_id

    @property
    def received(self) -> list[Received]:
        """Every message that it has received so far, the oldest first."""
        return [*self._client.received]

    def wait_for(self, target: str, *, timeout: float = 5.0) -> list[Any]:
        """Give the arguments of the next message for a handler.

        Messages that came before count too, each once: of two for `ready`, a second call gives the
        second.

        Args:
            target: Name of the handler.
            timeout: How long to wait, in seconds.

        Raises:
            NotSeenError: None came in time, or the connection has ended.
        """
        return self._result(self._client.wait_for(target, timeout=timeout))

    def invoke(self, method: str, *arguments: Json, timeout: float = 5.0) -> Any:  # noqa: ANN401 - whatever the app answers
        """Call a method of the app, and give its result.

        Args:
            method: Name of the method.
            arguments: What it gets: JSON values.
            timeout: How long to wait for the result, in seconds.

        Raises:
            InvocationError: The method failed, or gave no result in time.
        """
        return self._result(self._client.invoke(method, *arguments, timeout=timeout))

    def send(self, method: str, *arguments: Json) -> None:
        """Call a method of the app, and wait for nothing.

        Args:
            method: Name of the method.
            arguments: What it gets: JSON values.
        """
        self._result(self._client.send(method, *arguments))

    def on(self, target: str, handler: Callable[..., Json]) -> None:
        """Answer what the app invokes on this client and waits for.

        Args:
            target: Name of the handler.
            handler: Gets the arguments, and gives the result; it runs in another thread.
        """
        self._client.on(target, handler)

    def _result[T](self, called: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(called, self._loop).result()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _entered(connected: AbstractAsyncContextManager[AsyncClient]) -> AsyncClient:
    return await connected.__aenter__()


async def _left(connected: AbstractAsyncContextManager[AsyncClient]) -> None:
    await connected.__aexit__(None, None, None)
