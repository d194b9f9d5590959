"""The addresses of one Azure SignalR Service instance."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

__all__ = ["Endpoint", "is_loopback"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one instance of the service is reached, and by what name tokens call it.

    Args:
        url: The service's own address, without a trailing slash.
        client_url: Where clients connect, when a gateway or proxy stands before the service.
        server_url: Where this app calls the REST API, when that is not `url`.
    """

    url: str
    client_url: str = ""
    server_url: str = ""
    audience_base: str = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        # The SDK for .NET builds audiences from the endpoint's host and drops its port.
        object.__setattr__(self, "audience_base", f"{parts.scheme}://{_bracketed(parts)}")
        object.__setattr__(self, "client_url", self.client_url or self.url)
        object.__setattr__(self, "server_url", self.server_url or self.url)

    @property
    def resource_name(self) -> str:
        """Name of the SignalR resource: the first label of the service's host name."""
        return (urlsplit(self.url).hostname or "").partition(".")[0]

    def client_audience(self, hub: str) -> str:
        """Return the `aud` claim of client tokens for a hub (name in lower case)."""
        return f"{self.audience_base}/client/?hub={hub}"

    def client_hub_url(self, hub: str) -> str:
        """Return the URL that a negotiated client connects to (hub name in lower case)."""
        return f"{self.client_url}/client/?hub={hub}"


def is_loopback(url: str) -> bool:
    """Tell whether a URL's host is this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bracketed(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host
