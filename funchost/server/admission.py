"""Which requests are answered at all, by their host and the web page that they come from.

The Functions host answers all of them. This one is on a developer's machine, where any web page
that is visited can send requests (Fetch standard, 3.2): its origin tells it from others, or, where
its own name is made to lead to this machine (DNS rebinding), the name in the `Host` header.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, NamedTuple

from .cors import CorsPolicy
from .hosts import Host, address_of, host_of, parse_host

__all__ = ["Admission", "Asked", "Refusal"]

# A link of another page may lead here, as to any site. What changes something is not for them.
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_CROSS_SITE: Final = "cross-site"


class Asked(NamedTuple):
    """What of a request tells whether it is answered.

    Args:
        method: Its method.
        hosts: Every host that it names.
        needs_host: Whether it has to name one, as in HTTP/1.1.
        origin: The `Origin` header; `None` for what is no page, and for most reads of one.
        fetch_site: The header `Sec-Fetch-Site`, which browsers alone send.
    """

    method: str
    hosts: Sequence[str]
    needs_host: bool
    origin: str | None = None
    fetch_site: str | None = None


class Refusal(NamedTuple):
    """The answer to a request that is refused, with one line for the developer."""

    status: HTTPStatus
    reason: str


@dataclass(frozen=True, slots=True)
class Admission:
    """Who is answered.

    Args:
        listened: The address that is listened on, an IPv6 address without brackets.
        names: Host names that lead here too, as `host_name` gives them.
        cors: Which origins may call, where CORS is on.
    """

    listened: str
    names: frozenset[str] = frozenset()
    cors: CorsPolicy | None = None

    def refusal(self, asked: Asked) -> Refusal | None:
        """Return why a request is refused, or `None` for one that is answered."""
        hosts = [parse_host(each) for each in asked.hosts]
        if not hosts and asked.needs_host:
            return _MALFORMED
        for host in hosts:
            if host is None:
                return _MALFORMED
            if not self._leads_here(host):
                return Refusal(
                    HTTPStatus.FORBIDDEN,
                    f"The host {host.name} is not known here. If it is meant, start the Functions "
                    f"host with --host-name {host.name}.",
                )
        if asked.method in _SAFE_METHODS or self._may_change(asked, hosts):
            return None
        return _FOREIGN

    def _leads_here(self, host: Host) -> bool:
        if host.is_loopback or host.name in self.names:
            return True
        address, listened = address_of(host.name), address_of(self.listened)
        if address is None:
            return host.name == self.listened.lower()
        # An address cannot be made to lead elsewhere, as a name can.
        return address == listened or (listened is not None and listened.is_unspecified)

    def _may_change(self, asked: Asked, hosts: Sequence[Host | None]) -> bool:
        if self.cors is not None and self.cors.allows(asked.origin):
            return True
        if asked.origin is None:
            # Browsers send an origin with all but reads. Where something on the way has removed
            # it, nothing tells which site it was, but that it was another one. No program sends
            # this header.
            return asked.fetch_site != _CROSS_SITE
        host = host_of(asked.origin)
        # The scheme may differ from the page's: TLS may end before this host.
        return host is not None and (host.is_loopback or host in hosts)


_MALFORMED: Final = Refusal(
    HTTPStatus.BAD_REQUEST,
    "A request has one Host header, with a name or an address and perhaps a port.",
)
_FOREIGN: Final = Refusal(
    HTTPStatus.FORBIDDEN,
    "Web pages of this origin may only read. If they are meant to call, add the origin to "
    "Host.CORS of local.settings.json.",
)
