"""Connections between negotiation and their end, by connection token.

Source: TransportProtocols.md of dotnet/aspnetcore: a negotiated connection can be connected once,
and is forgotten if nobody connects.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..authentication.client_tokens import ALL_TRANSPORTS, ClientIdentity, HttpTransports
from ..errors import ConnectionInUseError, UnknownConnectionError
from ..protocols.supported import TransferFormat

__all__ = ["MAX_VERSION", "Negotiated", "Negotiations", "negotiate_reply"]

MAX_VERSION = 1
"""The highest negotiate version that is understood."""

_ID_BYTES = 16

_TEXT = [TransferFormat.TEXT.value]
_ANY = [each.value for each in TransferFormat]
_TRANSPORTS = (
    (HttpTransports.WEB_SOCKETS, "WebSockets", _ANY),
    (HttpTransports.SERVER_SENT_EVENTS, "ServerSentEvents", _TEXT),
    (HttpTransports.LONG_POLLING, "LongPolling", _ANY),
)


@dataclass(slots=True, eq=False)
class Negotiated:
    """A negotiated connection.

    Attributes:
        identity: Who uses it, by the token that it began with or by its last refresh.
        hub: Name of the hub, in lower case.
        connection_id: Names the connection to others.
        connection_token: Lets the client connect; the same as the id in version 0.
        version: Negotiate version that both sides use.
        connect_by: Monotonic time until which it can be connected, in seconds.
        is_stateful: Whether stateful reconnect is agreed on.
        early: What the client has sent before it connected.
        sending: Held by the one request of the client that is read at present.
        on_refresh: Called when a refresh has changed the identity.
    """

    identity: ClientIdentity
    hub: str
    connection_id: str
    connection_token: str = field(repr=False)
    version: int
    connect_by: float
    is_stateful: bool = False
    early: bytearray = field(default_factory=bytearray, repr=False)
    sending: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    on_refresh: Callable[[], None] | None = field(default=None, repr=False)
    _is_refreshed: bool = False

    @property
    def has_secret_token(self) -> bool:
        """Whether its token is another than its id, which others know."""
        return self.version > 0

    def begin(self, identity: ClientIdentity) -> None:
        """Take over what the token says that connects it, unless it has been refreshed."""
        if not self._is_refreshed:
            self.identity = identity

    def refresh(self, identity: ClientIdentity) -> None:
        """Change who uses it, whatever tokens come; the user stays the same."""
        self.identity = identity
        self._is_refreshed = True
        if self.on_refresh is not None:
            self.on_refresh()


class Negotiations:
    """Every negotiated connection that is alive.

    Args:
        connect_within: Seconds from negotiation to the connection of a transport.
    """

    def __init__(self, connect_within: float) -> None:
        self._connect_within = connect_within
        # Its oldest is found at once, where a dict passes by the places of all that have left it.
        self._waiting: OrderedDict[str, Negotiated] = OrderedDict()
        self._connected: dict[str, Negotiated] = {}

    def open(
        self,
        identity: ClientIdentity,
        hub: str,
        version: int,
        now: float,
        *,
        is_stateful: bool = False,
    ) -> Negotiated:
        """Make a connection that waits for its transport.

        Args:
            identity: Who asks for it.
            hub: Name of the hub, in lower case.
            version: What the client asks for; a higher one than `MAX_VERSION` gives that.
            now: Monotonic time, in seconds.
            is_stateful: Whether the client asks for stateful reconnect.
        """
        self._forget_expired(now)
        connection_id = secrets.token_urlsafe(_ID_BYTES)
        used_version = min(version, MAX_VERSION)
        negotiated = Negotiated(
            identity=identity,
            hub=hub,
            connection_id=connection_id,
            connection_token=secrets.token_urlsafe(_ID_BYTES) if used_version else connection_id,
            version=used_version,
            connect_by=now + self._connect_within,
            is_stateful=is_stateful and bool(used_version),
        )
        self._waiting[negotiated.connection_token] = negotiated
        return negotiated

    def waiting(self, connection_token: str, hub: str, now: float) -> Negotiated | None:
        """Give the connection with this token if it waits for its transport."""
        self._forget_expired(now)
        negotiated = self._waiting.get(connection_token)
        return negotiated if negotiated is not None and negotiated.hub == hub else None

    def alive(self, connection_token: str, hub: str, now: float) -> Negotiated | None:
        """Give the connection with this token, whether or not it has its transport already."""
        connected = self._connected.get(connection_token)
        if connected is not None and connected.hub == hub:
            return connected
        return self.waiting(connection_token, hub, now)

    def connect(self, connection_token: str, hub: str, now: float) -> Negotiated:
        """Give a waiting connection its transport.

        Raises:
            ConnectionInUseError: It has one already.
            UnknownConnectionError: There is no such connection in this hub, or it waited too long.
        """
        negotiated = self.waiting(connection_token, hub, now)
        if connection_token in self._connected:
            raise ConnectionInUseError("The connection is already connected.")
        if negotiated is None:
            raise UnknownConnectionError("No Connection with that ID")
        del self._waiting[connection_token]
        self._connected[connection_token] = negotiated
        return negotiated

    def end(self, negotiated: Negotiated) -> None:
        """Forget a connection; its token is unknown from now on."""
        self._waiting.pop(negotiated.connection_token, None)
        self._connected.pop(negotiated.connection_token, None)

    def forget_waiting(self) -> None:
        """Forget the connections that have no transport yet."""
        self._waiting.clear()

    def _forget_expired(self, now: float) -> None:
        while self._waiting:
            oldest = next(iter(self._waiting.values()))
            if now < oldest.connect_by:
                return
            del self._waiting[oldest.connection_token]


def negotiate_reply(
    negotiated: Negotiated, transports: HttpTransports = ALL_TRANSPORTS
) -> dict[str, Any]:
    """Give the body of a negotiation.

    Args:
        negotiated: The connection.
        transports: The transports that the client may use.
    """
    reply: dict[str, Any] = {
        "negotiateVersion": negotiated.version,
        "connectionId": negotiated.connection_id,
        "availableTransports": [
            {"transport": name, "transferFormats": formats}
            for transport, name, formats in _TRANSPORTS
            if transport in transports
        ],
    }
    if negotiated.version:
        reply["connectionToken"] = negotiated.connection_token
    if negotiated.is_stateful:
        reply["useStatefulReconnect"] = True
    return reply
