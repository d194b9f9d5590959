"""Which addresses are asked without a proxy, whatever the environment says."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from .endpoint import is_loopback

__all__ = ["passes_proxies_by"]


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
