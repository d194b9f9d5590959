"""Whom the service lets answer its clients: the feature flag `ServiceMode` of the resource."""

from enum import Enum

__all__ = ["ServiceMode"]


class ServiceMode(Enum):
    """How a SignalR resource treats its clients."""

    SERVERLESS = "Serverless"
    """Clients connect by themselves, and upstreams answer them."""

    DEFAULT = "Default"
    """Clients are answered by an app server over its server connections."""

    CLASSIC = "Classic"
    """As Default for the clients of a hub that has an app server, else as Serverless."""
