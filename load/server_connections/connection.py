"""One server connection of the app server, which comes back whenever it has ended."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Final, Protocol

import aiohttp

from shared.service_protocol.codec import Frames, read, write
from shared.service_protocol.messages import (
    Ack,
    HandshakeRequest,
    HandshakeResponse,
    Message,
    Ping,
)

__all__ = ["Answered", "BrokenError", "ServerConnection", "Socket"]

_VERSION: Final = 1
_DEFAULT: Final = 0
_PAUSE: Final = 1.0
"""Seconds before another attempt, if one has failed. After a connection that was, there is none."""

type Socket = aiohttp.ClientWebSocketResponse[bool]


class BrokenError(Exception):
    """The connection broke before the service has shown that it has what was sent."""


class Answered(Protocol):
    """A request that the service answers."""

    ack_id: int


class ServerConnection:
    """A server connection that carries clients.

    Args:
        connect: Opens its WebSocket.
        take: Gets what the service says about clients.
        ended: Is told that it has ended, and that its clients are gone with it.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Socket]],
        take: Callable[["ServerConnection", Message], None],
        ended: Callable[["ServerConnection"], None],
    ) -> None:
        self._connect = connect
        self._take = take
        self._ended = ended
        self._socket: Socket | None = None
        self._numbers = count(1)
        self._asked: dict[int, asyncio.Future[Ack]] = {}

    @property
    def is_open(self) -> bool:
        """Whether there may be written."""
        return self._socket is not None

    @property
    def in_flight(self) -> int:
        """How many requests the service has not answered."""
        return len(self._asked)

    async def live(self) -> None:
        """Be connected, again and again, until cancelled."""
        while True:
            try:
                opened = await self._connect()
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(_PAUSE)
                continue
            try:
                await self._listen(opened)
            finally:
                self._end()
                await opened.close()

    async def say(self, *messages: Message) -> None:
        """Send messages, in one piece.

        Raises:
            BrokenError: There is no connection.
        """
        if self._socket is None:
            raise BrokenError
        try:
            await self._socket.send_bytes(b"".join(map(write, messages)))
        except (aiohttp.ClientError, OSError) as error:
            raise BrokenError from error

    async def ask[R: Answered](self, request: R, *before: Message) -> Ack:
        """Send messages and a request behind them, and return its answer.

        The service does one after the other what comes by a connection, so that it has done the
        messages, which have no answer, when it answers the request.

        Args:
            request: The request, which gets a number here.
            before: The messages.

        Raises:
            BrokenError: The connection broke before the answer.
        """
        assert isinstance(request, Message)  # noqa: S101  all that have a number are
        request.ack_id = next(self._numbers)
        answer: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()
        self._asked[request.ack_id] = answer
        try:
            await self.say(*before, request)
            return await answer
        finally:
            self._asked.pop(request.ack_id, None)

    def cut(self) -> None:
        """End the connection without a word, as a broken network does."""
        opened = None if self._socket is None else self._socket.get_extra_info("socket")
        if opened is not None:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)

    async def _listen(self, opened: Socket) -> None:
        await opened.send_bytes(write(HandshakeRequest(_VERSION, _DEFAULT, "")))
        frames = Frames()
        while (came := await opened.receive()).type is aiohttp.WSMsgType.BINARY:
            for body in frames.feed(came.data):
                await self._hear(read(body), opened)

    async def _hear(self, message: Message | None, opened: Socket) -> None:
        match message:
            case HandshakeResponse(error=error):
                if error:
                    raise RuntimeError(f"the service refuses a server connection: {error}")
                self._socket = opened
            case Ping():
                await opened.send_bytes(write(Ping()))
            case Ack(ack_id=number):
                answer = self._asked.get(number)
                if answer is not None and not answer.done():
                    answer.set_result(message)
            case Message():
                self._take(self, message)

    def _end(self) -> None:
        self._socket = None
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(BrokenError())
        self._ended(self)
