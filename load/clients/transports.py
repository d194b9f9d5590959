"""The three transports of a SignalR client, over aiohttp.

Source: TransportProtocols.md of dotnet/aspnetcore.
"""

import asyncio
import contextlib
import socket
from enum import Enum
from http import HTTPStatus
from typing import Final, Literal, Protocol

import aiohttp

from .hub_protocol import HANDSHAKE, EventReader, Record, RecordReader

__all__ = ["EndedError", "RefusedError", "Transport", "TransportKind", "connect", "shake_hands"]

_LONGEST_POLL: Final = 120.0
"""Seconds that a poll may take; the service holds one for 90."""

_LONGEST_CONNECT: Final = 15.0
_HANDSHAKE_TIMEOUT: Final = 15.0


class TransportKind(Enum):
    """How a client is connected."""

    WEB_SOCKETS = "webSockets"
    SERVER_SENT_EVENTS = "serverSentEvents"
    LONG_POLLING = "longPolling"


class RefusedError(Exception):
    """The service does not let the client connect; the message says how."""


class EndedError(Exception):
    """The connection has ended; the message says how."""


class Transport(Protocol):
    """Carries messages of one connection."""

    async def receive(self) -> bytes:
        """Wait for something that came; nothing in it is a sign of life.

        Raises:
            EndedError: Nothing comes any more.
        """

    async def send(self, data: bytes) -> None:
        """Send messages.

        Raises:
            EndedError: The service does not take them.
        """

    async def close(self) -> None:
        """End the connection in order."""

    async def cut(self) -> None:
        """End the connection without a word, as a broken network does."""


async def connect(
    kind: TransportKind, session: aiohttp.ClientSession, url: str, token: str
) -> Transport:
    """Connect a negotiated connection.

    Args:
        kind: By which transport.
        session: Sends requests.
        url: The client URL, with the connection token.
        token: The client token.

    Raises:
        RefusedError: The service does not let it.
    """
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with asyncio.timeout(_LONGEST_CONNECT):
            match kind:
                case TransportKind.WEB_SOCKETS:
                    return _WebSocket(
                        await session.ws_connect(
                            url.replace("http", "ws", 1),
                            headers=headers,
                            decode_text=False,
                            timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
                        )
                    )
                case TransportKind.SERVER_SENT_EVENTS:
                    return await _EventStream.open(session, url, headers)
                case TransportKind.LONG_POLLING:
                    polling = _LongPolling(session, url, headers)
                    # The first poll is answered at once, and connects.
                    await polling.receive()
                    return polling
    except aiohttp.WSServerHandshakeError as error:
        raise RefusedError(f"{kind.value}: {error.status}") from None
    except EndedError as error:
        raise RefusedError(str(error)) from None
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise RefusedError(f"{kind.value}: {type(error).__name__}") from None


async def shake_hands(transport: Transport, reader: RecordReader) -> list[Record]:
    """Shake hands, and give what came right after.

    Args:
        transport: Carries it.
        reader: Finds messages in what comes.

    Raises:
        EndedError: The service does not want it.
        TimeoutError: The service says nothing.
    """
    async with asyncio.timeout(_HANDSHAKE_TIMEOUT):
        await transport.send(HANDSHAKE)
        received: list[Record] = []
        while not received:
            received = reader.feed(await transport.receive())
    answer, *early = received
    if "error" in answer:
        raise EndedError(f"handshake: {answer['error']}")
    return early


class _WebSocket:
    def __init__(self, opened: aiohttp.ClientWebSocketResponse[Literal[False]]) -> None:
        self._socket = opened

    async def receive(self) -> bytes:
        message = await self._socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise EndedError(f"webSockets: {message.type.name} {self._socket.close_code}")
        data: bytes = message.data
        return data

    async def send(self, data: bytes) -> None:
        try:
            await self._socket.send_str(data.decode())
        except (aiohttp.ClientError, OSError) as error:
            raise EndedError(f"webSockets: {type(error).__name__}") from None

    async def close(self) -> None:
        await self._socket.close()

    async def cut(self) -> None:
        opened = self._socket.get_extra_info("socket")
        if opened is not None:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(aiohttp.ClientError, OSError):
            await self._socket.close()


class _Requests:
    """Sends by requests of their own, as the other two transports do."""

    name: str

    def __init__(self, session: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> None:
        self._session = session
        self._url = url
        self._headers = headers

    async def send(self, data: bytes) -> None:
        try:
            async with self._session.post(self._url, data=data, headers=self._headers) as answer:
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise EndedError(f"{self.name} send: {type(error).__name__}") from None
        if status != HTTPStatus.OK:
            raise EndedError(f"{self.name} send: {status}")


class _EventStream(_Requests):
    name = TransportKind.SERVER_SENT_EVENTS.value

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        headers: dict[str, str],
        response: aiohttp.ClientResponse,
    ) -> None:
        super().__init__(session, url, headers)
        self._response = response
        self._events = EventReader()

    @classmethod
    async def open(
        cls, session: aiohttp.ClientSession, url: str, headers: dict[str, str]
    ) -> "_EventStream":
        response = await session.get(
            url,
            headers={**headers, "Accept": "text/event-stream"},
            timeout=aiohttp.ClientTimeout(total=None),
        )
        if response.status == HTTPStatus.OK:
            return cls(session, url, headers, response)
        response.close()
        raise RefusedError(f"{cls.name}: {response.status}")

    async def receive(self) -> bytes:
        try:
            data = await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise EndedError(f"{self.name}: {type(error).__name__}") from None
        if not data:
            raise EndedError(f"{self.name}: the stream ended")
        return self._events.feed(data)

    async def close(self) -> None:
        self._response.close()

    cut = close


class _LongPolling(_Requests):
    name = TransportKind.LONG_POLLING.value

    async def receive(self) -> bytes:
        try:
            async with self._session.get(
                self._url,
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=_LONGEST_POLL),
            ) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise EndedError(f"{self.name}: {type(error).__name__}") from None
        if answer.status != HTTPStatus.OK:
            raise EndedError(f"{self.name}: {answer.status}")
        return body

    async def close(self) -> None:
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            await self._session.delete(self._url, headers=self._headers)

    async def cut(self) -> None:
        """Do nothing: who polls no more is gone."""
