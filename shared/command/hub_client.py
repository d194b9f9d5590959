"""A SignalR client of one connection: WebSocket, handshake, messages.

Source: the transport and hub protocols of ASP.NET Core SignalR (JSON).
"""

import json
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from requests.utils import select_proxy
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from ..transport.surroundings import surroundings_of, trusting

__all__ = ["HandshakeError", "HubClient", "Message"]

_SEPARATOR: Final = "\x1e"
_HANDSHAKE: Final = '{"protocol":"json","version":1}' + _SEPARATOR
_LARGEST: Final = 16 * 1024 * 1024
"""Most bytes of a WebSocket message that comes."""

type Message = Mapping[str, Any]


class HandshakeError(Exception):
    """The service refuses the handshake; the message is the service's own."""


class HubClient:
    """A client that has shaken hands.

    Args:
        url: Where clients of the hub connect, as negotiate functions answer it.
        client_token: The client token.
        connection: What the negotiation with the service has answered.
        timeout: Seconds for the connection and for the handshake.

    Raises:
        HandshakeError: The service refuses the handshake.
        OSError: It cannot be reached, or not in time.
        WebSocketException: It does not open a WebSocket.
    """

    def __init__(self, url: str, client_token: str, connection: Message, timeout: float) -> None:
        self.connection_id = str(connection.get("connectionId", ""))
        self._records: deque[str] = deque()
        self._socket = _open(url, client_token, connection, timeout)
        try:
            self._socket.send(_HANDSHAKE)
            answer = self.next(time.monotonic() + timeout)
        except ConnectionClosed as error:
            raise HandshakeError(f"the connection was closed: {error}") from error
        if answer is None:
            self.close()
            raise TimeoutError("The handshake was not answered")
        if "error" in answer:
            self.close()
            raise HandshakeError(str(answer["error"]))

    def send(self, message: Message) -> None:
        """Send a message of the protocol.

        Raises:
            ConnectionClosed: The connection has ended.
        """
        self._socket.send(json.dumps(message) + _SEPARATOR)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def next(self, until: float) -> Message | None:
        """Return the next message, or `None` when the time is over.

        Args:
            until: When that is, as `time.monotonic` counts.

        Raises:
            ConnectionClosed: The connection has ended.
            ValueError: What came is no JSON, or is nested too deep.
        """
        while not self._records:
            try:
                received = self._socket.recv(max(0.0, until - time.monotonic()), decode=True)
            except TimeoutError:
                return None
            self._records += str(received).split(_SEPARATOR)[:-1]
        try:
            message = json.loads(self._records.popleft())
        except RecursionError as error:
            raise ValueError("nested too deep") from error
        return message if isinstance(message, dict) else {}


def _open(url: str, client_token: str, connection: Message, timeout: float) -> ClientConnection:
    token = connection.get("connectionToken") or connection.get("connectionId", "")
    surroundings = surroundings_of(url)
    return connect(
        f"ws{url.removeprefix('http')}&id={quote(str(token), safe='')}",
        ssl=trusting(surroundings.verify) if urlsplit(url).scheme == "https" else None,
        additional_headers={"Authorization": f"Bearer {client_token}"},
        proxy=select_proxy(url, surroundings.proxies),
        # The protocol has pings of its own.
        ping_interval=None,
        open_timeout=timeout,
        close_timeout=1,
        max_size=_LARGEST,
    )
