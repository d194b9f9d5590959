"""Which requests are answered at all, by their host and the web page that they come from.

The Functions host answers all of them. This one is on a developer's machine, where any web page
that is visited can send requests (Fetch standard, 3.2): its origin tells it from others, or, where
its own name is made to lead to this machine (DNS rebinding), the name in the `Host` header.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple

from .cors import CorsPolicy

__all__ = ["Admission", "Asked", "Host", "Refusal", "host_name", "parse_host"]

_HOST: Final = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]*))?")
_SCHEMES: Final = frozenset({"http", "https"})
_LOCALHOST: Final = "localhost"
# A link of another page may lead here, as to any site. What changes something is not for them.
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_CROSS_SITE: Final = "cross-site"


class Host(NamedTuple):
    """What a `Host` header or an origin names.

    `name` is in lower case and has no dot at its end, an IPv6 address has brackets; `port` is
    digits or nothing.
    """

    name: str
    port: str

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine can be meant."""
        address = _address(self.name)
        return self.name == _LOCALHOST if address is None else address.is_loopback


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
        address, listened = _address(host.name), _address(self.listened)
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
        host = _host_of(asked.origin)
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


def parse_host(text: str) -> Host | None:
    """Read a `Host` header, or the part of an origin that looks like one; `None` if it is none.

    Source: RFC 3986, section 3.2, without what names of this machine do not have: user
    information, escapes, and characters that DNS or containers do not know.
    """
    match = _HOST.fullmatch(text)
    if match is None:
        return None
    name = match["name"].lower().removesuffix(".")
    if not name or (name.startswith("[") and _address(name) is None):
        return None
    return Host(name, match["port"] or "")


def host_name(text: str) -> str:
    """Read a host name that somebody chooses; an IPv6 address has brackets.

    Raises:
        ValueError: It is none, or has a port.
    """
    host = parse_host(text)
    if host is None or ":" in text.rpartition("]")[2]:
        raise ValueError(f"'{text}' is no host name: write it without scheme and port")
    return host.name


def _host_of(origin: str) -> Host | None:
    """Return the host of a web page's origin, or `None` if it has none, as `null`."""
    scheme, _, rest = origin.partition("://")
    return parse_host(rest) if scheme.lower() in _SCHEMES else None


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
