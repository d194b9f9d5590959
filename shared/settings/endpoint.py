"""The addresses of one Azure SignalR Service instance."""

from dataclasses import dataclass, field
from enum import Enum
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from .credential import AzureCloud

__all__ = [
    "AUDIENCE",
    "Endpoint",
    "EndpointType",
    "is_confidential",
    "is_emulator",
    "is_loopback",
    "passes_proxies_by",
    "without_port",
]

AUDIENCE: Final = "https://signalr.azure.com"
"""Audience of Entra tokens for the service, in every cloud: the SDK for .NET has no other."""

_AUTHORITY_HOSTS: Final = {
    ".signalr.azure.cn": AzureCloud.CHINA.authority_host,
    ".signalr.azure.us": AzureCloud.US_GOVERNMENT.authority_host,
}
"""Where Entra tokens come from in a cloud of its own, by the ending of the service's host name."""


class EndpointType(Enum):
    """When clients are sent to an endpoint: the types of the SDK for .NET."""

    PRIMARY = "primary"
    """Takes clients while it is healthy."""

    SECONDARY = "secondary"
    """Takes clients while no primary endpoint is healthy."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one instance of the service is reached, and by what name tokens call it.

    Args:
        url: The service's own address, without a trailing slash.
        client_url: Where clients connect, when a gateway or proxy stands before the service.
        server_url: Where this app calls the REST API, when that is not `url`.
        name: What the endpoint is called in results and logs; its host name if not given.
        type: When clients are sent here, among several endpoints.
        weight: Share of the clients that it takes, in proportion to the others of its type.
        audience: Audience of Entra tokens.
    """

    url: str
    client_url: str = ""
    server_url: str = ""
    name: str = ""
    type: EndpointType = EndpointType.PRIMARY
    weight: float = 1.0
    audience: str = AUDIENCE
    audience_base: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "audience_base", without_port(self.url))
        object.__setattr__(self, "client_url", self.client_url or self.url)
        object.__setattr__(self, "server_url", self.server_url or self.url)
        object.__setattr__(self, "name", self.name or urlsplit(self.url).netloc)

    @property
    def resource_name(self) -> str:
        """Name of the SignalR resource: the first label of the service's host name in Azure."""
        if is_emulator(self.url):
            return "<SignalR resource>"
        return (urlsplit(self.url).hostname or "").partition(".")[0]

    @property
    def authority_host(self) -> str | None:
        """Where Entra tokens for this service come from, if it is not in the public cloud."""
        host = urlsplit(self.url).hostname or ""
        return next((url for end, url in _AUTHORITY_HOSTS.items() if host.endswith(end)), None)

    def client_audience(self, hub: str) -> str:
        """Return the `aud` claim of client tokens for a hub (name in lower case)."""
        return f"{self.audience_base}/client/?hub={hub}"

    def client_hub_url(self, hub: str) -> str:
        """Return the URL that a negotiated client connects to (hub name in lower case)."""
        return f"{self.client_url}/client/?hub={hub}"

    def server_audience(self, hub: str) -> str:
        """Return the `aud` claim of server connections' tokens (hub name in lower case)."""
        return f"{self.audience_base}/server/?hub={hub}"

    def server_hub_url(self, hub: str) -> str:
        """Return the URL that a server connects to, by WebSocket (hub name in lower case)."""
        return f"{self.server_url.replace('http', 'ws', 1)}/server/?hub={hub}"


def without_port(url: str) -> str:
    """Return scheme and host of a URL: what the audiences of the SDK for .NET begin with."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return f"{parts.scheme}://[{host}]" if ":" in host else f"{parts.scheme}://{host}"


def is_loopback(url: str) -> bool:
    """Tell whether a URL's host is this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_emulator(url: str) -> bool:
    """Tell whether an emulator is meant: this machine, or http, which Azure does not offer."""
    return is_loopback(url) or urlsplit(url).scheme == "http"


def passes_proxies_by(url: str) -> bool:
    """Tell whether a URL's host is this machine, or one that only this machine reaches.

    A proxy is another machine, so it reaches something else there, or nothing. The identity
    endpoints of Azure have such addresses: "IMDS calls must bypass proxies" (Azure Instance
    Metadata Service).
    """
    if is_loopback(url):
        return True
    try:
        # An IPv6 address may name its zone.
        return ip_address((urlsplit(url).hostname or "").partition("%")[0]).is_link_local
    except ValueError:
        return False


def is_confidential(url: str) -> bool:
    """Tell whether nobody between can read or change what a URL answers: https, or this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url))
