"""What clients do that somebody may want to answer: connect, invoke, disconnect.

This is the seam for upstream. Without a handler an invocation is answered with an error.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from signalr_emulator.hub_protocol import Completion, Invocation, StreamInvocation
from signalr_emulator.protocols import HubProtocol

__all__ = ["ClientInvocation", "ConnectedClient", "EventQueue", "HubHandler", "HubHandlers"]

_LOGGER = logging.getLogger(__name__)

_MAX_WAITING = 100
"""Events of one client that may wait for its handler."""


@dataclass(frozen=True, slots=True)
class ConnectedClient:
    """Who a client is.

    Attributes:
        connection_id: Id that is unique within the service.
        hub: Name of the hub, in lower case.
        user_id: Who it is, or None.
        claims: Every claim of its token.
        query: Query of the request with which it connected, without the question mark and
            without `access_token` and `id`.
    """

    connection_id: str
    hub: str
    user_id: str | None
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)
    query: str = ""


@dataclass(frozen=True, slots=True)
class ClientInvocation:
    """A client's call of a method.

    Attributes:
        message: The call.
        record: The call as it came, in `protocol` and without its framing.
        protocol: What the client speaks.
    """

    message: Invocation | StreamInvocation
    record: bytes
    protocol: HubProtocol


class HubHandler(Protocol):
    """Answers to what clients of a hub do. Events of one client come one after another."""

    async def on_connected(self, client: ConnectedClient) -> None:
        """Learn of a client that has shaken hands."""

    async def on_invocation(
        self, client: ConnectedClient, invocation: ClientInvocation
    ) -> Completion | bytes | None:
        """Answer a call.

        Returns:
            The completion; or framed messages in the client's protocol, sent as they are; or None
            for no answer. Without an invocation id the result is ignored.
        """

    async def on_disconnected(self, client: ConnectedClient, error: str | None) -> None:
        """Learn that a client is gone; `error` is None for an orderly end."""


@dataclass(slots=True)
class HubHandlers:
    """Who answers for which hub.

    Attributes:
        default: Handler of every hub that has none of its own; None for nobody.
        by_hub: Handlers by the hub's name in lower case.
    """

    default: HubHandler | None = None
    by_hub: dict[str, HubHandler] = field(default_factory=dict)

    def find(self, hub: str) -> HubHandler | None:
        """Give the handler of a hub."""
        return self.by_hub.get(hub, self.default)


class EventQueue:
    """Runs what a handler does for one client, in order and one at a time."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], Awaitable[None]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    @property
    def is_full(self) -> bool:
        """Whether a client has more events waiting than it should."""
        return len(self._waiting) >= _MAX_WAITING

    def put(self, event: Callable[[], Awaitable[None]]) -> None:
        """Add something to run; what it raises is logged."""
        self._waiting.append(event)
        if self._worker is None:
            self._worker = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        try:
            while self._waiting:
                event = self._waiting.popleft()
                try:
                    await event()
                except Exception:
                    _LOGGER.exception("A handler of client events failed.")
        finally:
            self._worker = None
