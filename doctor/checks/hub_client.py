"""A SignalR client of one connection: negotiation, WebSocket, handshake, invocations.

Source: the transport and hub protocols of ASP.NET Core SignalR (JSON).
"""

import json
import os
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from shared.settings.endpoint import passes_proxies_by

__all__ = ["HandshakeError", "HubClient", "Message"]

_SEPARATOR: Final = "\x1e"
_HANDSHAKE: Final = '{"protocol":"json","version":1}' + _SEPARATOR
_INVOCATION, _COMPLETION, _CLOSE = 1, 3, 7

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
        self._records: list[str] = []
        self._socket = _open(url, client_token, connection, timeout)
        try:
            self._socket.send(_HANDSHAKE)
            answer = self._next(time.monotonic() + timeout)
        except ConnectionClosed as error:
            raise HandshakeError(f"the connection was closed: {error}") from error
        if answer is None:
            self.close()
            raise TimeoutError("The handshake was not answered")
        if "error" in answer:
            self.close()
            raise HandshakeError(str(answer["error"]))

    def invoke(self, target: str, timeout: float) -> Message | None:
        """Call a method, and return the completion or the close message that ends the wait."""
        call = {"type": _INVOCATION, "invocationId": "1", "target": target, "arguments": []}
        try:
            self._socket.send(json.dumps(call) + _SEPARATOR)
        except ConnectionClosed:
            return {"type": _CLOSE}
        return self._wait(lambda each: each.get("type") in {_COMPLETION, _CLOSE}, timeout)

    def receives(self, target: str, argument: str, timeout: float) -> bool:
        """Wait for a message, and tell whether it came."""
        wanted = self._wait(
            lambda each: each.get("target") == target and each.get("arguments") == [argument],
            timeout,
        )
        return wanted is not None

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _wait(self, is_wanted: Callable[[Message], bool], timeout: float) -> Message | None:
        until = time.monotonic() + timeout
        try:
            while (message := self._next(until)) is not None:
                if is_wanted(message):
                    return message
        except ConnectionClosed:
            return {"type": _CLOSE} if is_wanted({"type": _CLOSE}) else None
        return None

    def _next(self, until: float) -> Message | None:
        """Return the next message, or `None` when the time is over."""
        while not self._records:
            try:
                received = self._socket.recv(max(0.0, until - time.monotonic()), decode=True)
            except TimeoutError:
                return None
            self._records += str(received).split(_SEPARATOR)[:-1]
        message = json.loads(self._records.pop(0))
        return message if isinstance(message, dict) else {}


def _open(url: str, client_token: str, connection: Message, timeout: float) -> ClientConnection:
    token = connection.get("connectionToken") or connection.get("connectionId", "")
    address = f"ws{url.removeprefix('http')}&id={quote(str(token), safe='')}"
    trust = None
    if urlsplit(url).scheme == "https":
        # As requests does, which sends everything else.
        trust = ssl.create_default_context(cafile=os.environ.get("REQUESTS_CA_BUNDLE"))
    return connect(
        address,
        ssl=trust,
        additional_headers={"Authorization": f"Bearer {client_token}"},
        open_timeout=timeout,
        close_timeout=1,
        proxy=None if passes_proxies_by(url) else True,
    )
