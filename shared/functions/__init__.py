"""The HTTP functions of an Azure Function App, which use the service client for its callers.

`SignalRFunctions` makes them; `Events` takes handlers of what clients do; a policy gets a `Caller`
and a `Connection`. Only this part of the library imports azure.functions.
"""

from typing import TYPE_CHECKING

from ..lazy import lazy_exports
from .events.event import ConnectedEvent, DisconnectedEvent, MessageEvent
from .events.registry import Events
from .local_features import OPENAPI_OFFERED, is_offered
from .negotiate.caller import Caller
from .negotiate.policy import Connection, NotAllowedError, Policy
from .negotiate.settings import Identity, NegotiateSettings
from .signalr_functions import (
    BROADCAST,
    CONNECTIONS,
    GROUPS,
    HEALTH,
    NEGOTIATE,
    OPENAPI,
    UPSTREAM,
    Routes,
    SignalRFunctions,
)

if TYPE_CHECKING:
    from .events.errors import ClientError
    from .negotiate.request import NegotiateRequest
    from .upstream.settings import UpstreamSettings
else:
    __getattr__ = lazy_exports(
        __name__,
        {
            "ClientError": "events.errors",
            "NegotiateRequest": "negotiate.request",
            "UpstreamSettings": "upstream.settings",
        },
    )

__all__ = [
    "BROADCAST",
    "CONNECTIONS",
    "GROUPS",
    "HEALTH",
    "NEGOTIATE",
    "OPENAPI",
    "OPENAPI_OFFERED",
    "UPSTREAM",
    "Caller",
    "ClientError",
    "ConnectedEvent",
    "Connection",
    "DisconnectedEvent",
    "Events",
    "Identity",
    "MessageEvent",
    "NegotiateRequest",
    "NegotiateSettings",
    "NotAllowedError",
    "Policy",
    "Routes",
    "SignalRFunctions",
    "UpstreamSettings",
    "is_offered",
]
