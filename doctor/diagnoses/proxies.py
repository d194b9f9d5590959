"""Which proxy of the environment stands before an address, and how it is passed by."""

import os
from typing import NamedTuple
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies, select_proxy

from shared.settings.endpoint import passes_proxies_by

from ..finding import Diagnosis

__all__ = ["explain_proxy", "past_proxy", "through_proxy"]


class _Proxy(NamedTuple):
    address: str
    variable: str

    def __str__(self) -> str:
        return f"the proxy {self.address} ({self.variable})"


def through_proxy(url: str) -> str:
    """Return how a service is asked, as the end of a sentence, or "" without a proxy."""
    proxy = None if passes_proxies_by(url) else _proxy_of(url)
    return f", through {proxy}" if proxy else ""


def past_proxy(url: str) -> str:
    """Say that an identity endpoint is asked past a proxy of the environment, or return "".

    Args:
        url: The endpoint, which nobody may ask through a proxy.
    """
    proxy = _proxy_of(url)
    if proxy is None:
        return ""
    return (
        f"; its endpoint is asked past {proxy}, and for other programs NO_PROXY has to name"
        f" {urlsplit(url).hostname}"
    )


def explain_proxy(diagnosis: Diagnosis, url: str) -> Diagnosis:
    """Add to what is wrong with a service that a proxy stands before it, if one does."""
    asked = through_proxy(url)
    if not asked:
        return diagnosis
    return Diagnosis(
        f"{diagnosis.summary}{asked}",
        f"To pass the proxy by: NO_PROXY={urlsplit(url).hostname}\n{diagnosis.fix}",
    )


def _proxy_of(url: str) -> _Proxy | None:
    """Return the proxy that requests would take."""
    address = select_proxy(url, get_environ_proxies(url, no_proxy=None))
    if not address:
        return None
    kinds = (f"{urlsplit(url).scheme}_proxy", "all_proxy")
    names = [name for kind in kinds for name in (kind, kind.upper()) if os.environ.get(name)]
    # Who may use it is nobody else's business.
    scheme, _, rest = address.rpartition("://")
    return _Proxy(f"{scheme or 'http'}://{rest.rpartition('@')[2]}", (names or ["the system's"])[0])
