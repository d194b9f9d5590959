"""Whom the service lets answer its clients: the feature flag `ServiceMode` of the resource."""

from enum import Enum

__all__ = ["ServiceMode"]


class ServiceMode(Enum):
    """How a SignalR resource treats its clients."""

    SERVERLESS = "Serverless"
    """Clients connect by themselves, and upstreams answer them."""

    DEFAULT = "Default"
    """Clients reach an app server by server connections, which this emulator does not have."""

    @property
    def refusal(self) -> str | None:
        """Why a handshake is refused, or None.

        Begins as Azure's own text does (aspnet/AzureSignalR-samples, issue 133), by which people
        look it up.
        """
        if self is ServiceMode.SERVERLESS:
            return None
        return "SignalR Service is now in 'Default' service mode, and no app server is connected."
