"""Events of clients, which the service sends to this app: verified, read, and given to handlers."""

from upstream.errors import ClientError
from upstream.event import ConnectedEvent, DisconnectedEvent, MessageEvent
from upstream.functions import blueprint
from upstream.registry import Events
from upstream.settings import UpstreamSettings

__all__ = [
    "ClientError",
    "ConnectedEvent",
    "DisconnectedEvent",
    "Events",
    "MessageEvent",
    "UpstreamSettings",
    "blueprint",
]
