"""A client of the service in a test, over a WebSocket and the JSON hub protocol."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import aiohttp

from ..documents.json_text import Json, decode, encode
from ..documents.verbatim import JsonText
from ..protocols.json import SEPARATOR, RecordReader, encode_message
from ..protocols.messages import MAX_RECORD_BYTES, Completion, Invocation, MessageType, Ping
from .recorded import call_text
from .waiting import not_seen

__all__ = ["AsyncClient", "InvocationError", "Received"]

_HANDSHAKE = b'{"protocol":"json","version":1}' + SEPARATOR
_PING_INTERVAL = 10.0
"""Seconds between two signs of life."""


class InvocationError(Exception):
    """A method that the client has invoked failed; the message is what the client was told."""


class Received(NamedTuple):
    """One message that a client has received.

    Attributes:
        target: Name of the handler that it is for.
        arguments: What that gets.
    """

    target: str
    arguments: list[Any]


class AsyncClient:
    """A connected client, for tests on an event loop.

    Attributes:
        connection_id: Names its connection.
        hub: Name of its hub.
        user_id: Who it is, or None.
        received: Every message that it has received, the oldest first.
    """

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse[bool],
        *,
        connection_id: str,
        hub: str,
        user_id: str | None,
    ) -> None:
        self.connection_id = connection_id
        self.hub = hub
        self.user_id = user_id
        self.received: list[Received] = []
        self._socket = socket
        self._reader = RecordReader(MAX_RECORD_BYTES)
        self._handlers: dict[str, Callable[..., Json]] = {}
        self._waited_for: set[int] = set()
        self._invocations: dict[str, asyncio.Future[Any]] = {}
        self._end: str | None = None
        self._changed = asyncio.Condition()

    async def wait_for(self, target: str, *, timeout: float = 5.0) -> list[Any]:  # noqa: ASYNC109 - the test's own limit, with a message of its own
        """Give the arguments of the next message for a handler.

        Messages that came before count too, each once: of two for `ready`, a second call gives the
        second.

        Args:
            target: Name of the handler.
            timeout: How long to wait, in seconds.

        Raises:
            NotSeenError: None came in time, or the connection has ended.
        """
        async with self._changed:
            try:
                async with asyncio.timeout(timeout):
                    await self._changed.wait_for(
                        lambda: self._next(target) is not None or self._end is not None
                    )
            except TimeoutError:
                pass
            place = self._next(target)
            if place is None:
                raise not_seen(f"message {target} for {self}", timeout, self._history())
            self._waited_for.add(place)
            return self.received[place].arguments

    async def invoke(self, method: str, *arguments: Json, timeout: float = 5.0) -> Any:  # noqa: ANN401, ASYNC109 - whatever the app answers; as above
        """Call a method of the app, and give its result.

        Args:
            method: Name of the method.
            arguments: What it gets: JSON values.
            timeout: How long to wait for the result, in seconds.

        Raises:
            InvocationError: The method failed, or gave no result in time.
        """
        invocation_id = str(len(self._invocations) + 1)
        result = asyncio.get_running_loop().create_future()
        self._invocations[invocation_id] = result
        if self._end is not None:
            raise InvocationError(self._end)
        await self._send(Invocation(method, JsonText(encode([*arguments])), invocation_id))
        try:
            async with asyncio.timeout(timeout):
                return await result
        except TimeoutError:
            raise InvocationError(f"{method} gave no result within {timeout:g} s.") from None

    async def send(self, method: str, *arguments: Json) -> None:
        """Call a method of the app, and wait for nothing.

        Args:
            method: Name of the method.
            arguments: What it gets: JSON values.
        """
        await self._send(Invocation(method, JsonText(encode([*arguments]))))

    def on(self, target: str, handler: Callable[..., Json]) -> None:
        """Answer what the app invokes on this client and waits for.

        Args:
            target: Name of the handler.
            handler: Gets the arguments, and gives the result. It must not block.
        """
        self._handlers[target] = handler

    async def listen(self) -> None:
        """Take what comes, until the connection ends."""
        keep_alive = asyncio.ensure_future(self._keep_alive())
        try:
            async for message in self._socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                for record in self._reader.feed(message.data.encode()):
                    await self._take(decode(record))
        finally:
            keep_alive.cancel()
            await self._ended(f"The connection of {self} is closed ({self._socket.close_code}).")

    async def shake_hands(self) -> None:
        """Agree on the protocol.

        Raises:
            ConnectionError: The service refuses.
        """
        await self._socket.send_str(_HANDSHAKE.decode())
        answer = await self._socket.receive()
        if answer.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError(f"The service has closed the connection: {answer.extra}")
        # What else came with it is the start of what is listened to.
        handshake, *records = self._reader.feed(answer.data.encode())
        match decode(handshake):
            case {"error": str() as error}:
                raise ConnectionError(error)
        for record in records:
            await self._take(decode(record))

    def __str__(self) -> str:
        """Say who it is."""
        return f"{self.user_id or self.connection_id} (hub {self.hub})"

    def _next(self, target: str) -> int | None:
        return next(
            (
                place
                for place, each in enumerate(self.received)
                if each.target == target and place not in self._waited_for
            ),
            None,
        )

    def _history(self) -> list[str]:
        lines = [
            call_text(each.target, each.arguments)
            + (" (waited for before)" if place in self._waited_for else "")
            for place, each in enumerate(self.received)
        ]
        return lines if self._end is None else [*lines, self._end]

    async def _take(self, message: Json) -> None:
        if not isinstance(message, dict):
            return
        match message:
            case {"type": MessageType.INVOCATION, "target": str() as target, "arguments": list()}:
                await self._invoked(target, message)
            case {"type": MessageType.COMPLETION, "invocationId": str() as invocation_id}:
                self._completed(self._invocations[invocation_id], message)
            case {"type": MessageType.CLOSE, **close}:
                reason = f": {close['error']}" if "error" in close else "."
                await self._ended(f"The service has ended the connection of {self}{reason}")

    async def _invoked(self, target: str, message: Mapping[str, Any]) -> None:
        arguments = message["arguments"]
        async with self._changed:
            self.received.append(Received(target, arguments))
            self._changed.notify_all()
        invocation_id = message.get("invocationId")
        if invocation_id is None:
            return
        await self._send(self._answer(target, arguments, invocation_id))

    def _answer(self, target: str, arguments: list[Any], invocation_id: str) -> Completion:
        handler = self._handlers.get(target)
        if handler is None:
            return Completion(invocation_id, error=f"The test's client has no handler {target}.")
        try:
            result = handler(*arguments)
        except Exception as error:  # noqa: BLE001 - the app learns of it, as of a client's error
            return Completion(invocation_id, error=str(error))
        return Completion(invocation_id, result=JsonText(encode(result)))

    def _completed(self, result: asyncio.Future[Any], message: Mapping[str, Any]) -> None:
        if result.done():
            return
        if "error" in message:
            result.set_exception(InvocationError(message["error"]))
        else:
            result.set_result(message.get("result"))

    async def _ended(self, why: str) -> None:
        async with self._changed:
            self._end = self._end or why
            self._changed.notify_all()
        for result in self._invocations.values():
            if not result.done():
                result.set_exception(InvocationError(self._end))

    async def _send(self, message: Invocation | Completion | Ping) -> None:
        await self._socket.send_str(encode_message(message).decode())

    async def _keep_alive(self) -> None:
        while not self._socket.closed:
            await asyncio.sleep(_PING_INTERVAL)
            await self._send(Ping())
