"""The HTTP functions of an Azure Function App, which use the service client for its callers.

`SignalRFunctions` makes them; `Events` takes handlers of what clients do; a policy gets a `Caller`
and a `Connection`. Only this part of the library imports azure.functions.
"""

from .events.errors import ClientError
from .events.event import ConnectedEvent, DisconnectedEvent, MessageEvent
from .events.registry import Events
from .local_features import is_offered
from .negotiate.caller import Caller
from .negotiate.policy import Connection, NotAllowedError, Policy
from .negotiate.request import NegotiateRequest
from .negotiate.settings import Identity, NegotiateSettings
from .openapi.handlers import OFFERED as OPENAPI_OFFERED
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
from .upstream.settings import UpstreamSettings

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
