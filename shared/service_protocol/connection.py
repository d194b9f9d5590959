"""The life of one weak server connection, from its WebSocket's opening to its end.

Pure: neither socket nor clock. Every event comes with its moment, in seconds of a steady clock, and
gives what is to be done; whoever holds the socket does it, and calls `elapsed` when `due` has come.

Sources: Azure/azure-signalr, specs/ServiceProtocol.md and `ServiceConnectionBase.cs`; what
Microsoft.Azure.SignalR 1.34.0 does where these leave it open.
"""

import math
import re
from collections.abc import Iterator
from enum import Enum
from typing import Final

from ..errors import ServiceUnavailableError, UnexpectedResponseError
from .actions import (
    Abandoned,
    Action,
    BufferFull,
    Close,
    InstanceOffline,
    Opened,
    Received,
    RenewToken,
    Status,
    Unreadable,
    Write,
)
from .codec import Frames, read, write
from .messages import (
    AccessKeyRequest,
    AccessKeyResponse,
    Ack,
    ClientCompletion,
    ConnectionKind,
    ErrorCompletion,
    EventKind,
    HandshakeRequest,
    HandshakeResponse,
    Message,
    Ping,
    ServiceError,
    ServiceEvent,
    ServiceMapping,
)

__all__ = ["ServerConnection", "next_attempt"]

_VERSION: Final = 1

_HANDSHAKE_WITHIN: Final = 15.0
"""Seconds for which the answer to the handshake is waited for."""

_SILENCE: Final = 30.0
"""Seconds after which a connection that nothing comes by is dead."""

_KEEP_ALIVE_EVERY: Final = 5.0
"""Most often that a sign of life is given, which happens whenever something comes."""

_STATUS_EVERY: Final = 10.0
_KEY_EVERY: Final = 10 * 60.0
"""Seconds between the proofs of who this is. The SDK for .NET brings its identity up to date so
(`ServiceConnectionBase.DefaultSyncAzureIdentityInterval`), and warns of failures when it cannot. So
it is done for the proof, though it is called a request for a key, and nobody here needs the key."""

_NUMBER: Final = re.compile("[0-9]{1,10}")

_LAST_DELAY: Final = 60.0
"""Most seconds between attempts to connect, without the spread."""


class _State(Enum):
    SHAKING_HANDS = "the service has not answered the handshake yet"
    OPEN = "it is open"
    ABANDONED = "the service is about to close it"
    CLOSED = "it is closed"


class ServerConnection:
    """One weak server connection, of which the WebSocket has just been opened.

    Args:
        token: The Entra token that it was opened with; `None` if an access key signed what it was
            opened with, so that none is asked for.
        now: The moment.
    """

    def __init__(self, token: str | None, now: float) -> None:
        self._state = _State.SHAKING_HANDS
        self._token = token
        self._frames = Frames()
        self._silent_since = now
        self._give_up = now + _HANDSHAKE_WITHIN
        self._keep_alive_due = self._status_due = self._key_due = math.inf

    @property
    def is_open(self) -> bool:
        """Whether there may be written."""
        return self._state is _State.OPEN

    @property
    def due(self) -> float:
        """When `elapsed` is to be called."""
        if self._is_over:
            return math.inf
        silence = self._silent_since + _SILENCE
        return min(silence, self._give_up, self._status_due, self._key_due)

    @property
    def _is_over(self) -> bool:
        return self._state is _State.CLOSED

    def start(self) -> Write:
        """Return what comes first. Nothing may follow before the service's answer."""
        handshake = HandshakeRequest(
            version=_VERSION, connection_type=ConnectionKind.WEAK, target=""
        )
        return Write(write(handshake))

    def write(self, message: Message) -> bytes:
        """Return a message as it is to be written to the socket.

        Raises:
            InvalidArgumentError: A field has a value that cannot be sent.
            ServiceUnavailableError: Nothing may be written now.
        """
        if self._state is not _State.OPEN:
            raise ServiceUnavailableError(f"No server connection: {self._state.value}")
        return write(message)

    def prove(self, token: str) -> list[Action]:
        """Show an Entra token that is valid now, and ask for an access key."""
        return [_asks_for_key(token)] if self._state is _State.OPEN else []

    def received(self, data: bytes, now: float) -> list[Action]:
        """Take the bytes of a WebSocket message."""
        if self._is_over:
            return []
        self._silent_since = now
        actions: list[Action] = []
        try:
            for body in self._frames.feed(data):
                actions += self._take(body, now)
                if self._is_over:
                    return actions
        except UnexpectedResponseError as error:
            return [*actions, self._close(str(error))]
        if self._state is _State.OPEN and now >= self._keep_alive_due:
            self._keep_alive_due = now + _KEEP_ALIVE_EVERY
            actions.append(Write(_KEEP_ALIVE))
        return actions

    def elapsed(self, now: float) -> list[Action]:
        """Take note of the time."""
        if self._is_over:
            return []
        if now >= self._give_up:
            return [self._close(self._state.value)]
        if now >= self._silent_since + _SILENCE:
            return [self._close(f"nothing came from the service for {_SILENCE:g} s")]
        actions: list[Action] = []
        if now >= self._status_due:
            self._status_due = now + _STATUS_EVERY
            actions.append(Write(_STATUS))
        if now >= self._key_due:
            self._key_due = now + _KEY_EVERY
            actions.append(RenewToken())
        return actions

    def closed(self) -> None:
        """Take note that the WebSocket has ended."""
        self._end()

    def _take(self, body: bytes, now: float) -> Iterator[Action]:
        try:
            message = read(body)
        except UnexpectedResponseError as error:
            if self._state is _State.SHAKING_HANDS:
                yield self._close(str(error))
            else:
                yield Unreadable(str(error))
            return
        if self._state is _State.SHAKING_HANDS:
            yield from self._shake_hands(message, now)
            return
        match message:
            case Ping():
                yield from self._take_ping(message)
            case ServiceError():
                # Nothing more is written. It is waited for the end, but not for ever.
                self._state = _State.ABANDONED
                self._give_up = now + _SILENCE
                self._status_due = self._key_due = math.inf
                yield Abandoned(message.error)
            case ServiceEvent(kind=EventKind.BUFFER_FULL):
                yield BufferFull(message.message)
            case (
                Ack()
                | AccessKeyResponse()
                | ClientCompletion()
                | ErrorCompletion()
                | ServiceMapping()
                | ServiceEvent()
            ):
                yield Received(message)
            case _:
                # About clients, which a weak connection has not, or of a later protocol.
                return

    def _shake_hands(self, message: Message | None, now: float) -> Iterator[Action]:
        if not isinstance(message, HandshakeResponse):
            yield self._close("the service sent something before its answer to the handshake")
            return
        if message.error:
            yield self._close(f"the service refuses it: {message.error}")
            return
        self._state = _State.OPEN
        self._give_up = math.inf
        self._keep_alive_due = now + _KEEP_ALIVE_EVERY
        self._status_due = now + _STATUS_EVERY
        token, self._token = self._token, None
        if token is not None:
            self._key_due = now + _KEY_EVERY
            yield _asks_for_key(token)
        yield Opened(message.connection_id)

    def _take_ping(self, ping: Ping) -> Iterator[Action]:
        said = dict(zip(ping.texts[::2], ping.texts[1::2], strict=False))
        if "echo" in said and self._state is _State.OPEN:
            yield Write(write(ping))
        if said.get("status") is not None:
            counts = (_number(said.get(key)) for key in ("clientcount", "servercount", "capacity"))
            yield Status(said["status"] == "1", *counts)
        instance_id = said.get("offline")
        if instance_id:
            yield InstanceOffline(instance_id)

    def _close(self, why: str) -> Close:
        self._end()
        return Close(ServiceUnavailableError(f"No server connection: {why}"))

    def _end(self) -> None:
        self._state = _State.CLOSED
        self._token = None


def next_attempt(failures: int, started: float, now: float, jitter: float) -> float:
    """Return when to try to connect again, in seconds of a steady clock.

    Args:
        failures: How many attempts have failed since the last connection, which may be none.
        started: When the last of them began: an attempt that took long is followed at once.
        now: The moment.
        jitter: From 0 to 1: spreads servers that have lost their connections together.
    """
    if failures == 0:
        return now
    # Past 2**6 the bound is reached, and a float would overflow in the end.
    delay = min(2.0 ** min(failures - 1, 6), _LAST_DELAY)
    return max(now, started + delay + jitter)


def _asks_for_key(token: str) -> Write:
    return Write(write(AccessKeyRequest(token=token)))


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None


_KEEP_ALIVE: Final = write(Ping())
_STATUS: Final = write(Ping(texts=("status", "1")))
