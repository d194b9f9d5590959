"""Which `Host` and `Origin` headers are accepted.

A web page that somebody visits can send requests to this machine. Its `Origin` header tells it
from others (Fetch standard, 3.2), and WebSockets know no other rule (RFC 6455, section 10.2). A
page whose name suddenly leads to this machine (DNS rebinding) counts as of the same origin, and is
told by the name alone, which it cannot keep out of the `Host` header.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from ..errors import ForbiddenError, InvalidRequestError

__all__ = ["ANY_ORIGIN", "LOOPBACK_ORIGINS", "Admission", "Host", "host_name", "parse_host"]

ANY_ORIGIN = "*"
"""Stands for every origin, as in the resource's CORS settings."""

LOOPBACK_ORIGINS = "loopback"
"""Stands for the origins of pages that come from this machine, whatever their port."""

_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]*))?")
_WEB = frozenset(("http", "https"))
_LOCALHOST = "localhost"

type _Address = IPv4Address | IPv6Address


class Host(NamedTuple):
    """What a `Host` header or an origin names.

    Attributes:
        name: In lower case, without a dot at its end; an IPv6 address in brackets.
        port: Digits, or nothing.
    """

    name: str
    port: str

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine can be meant."""
        address = _address(self.name)
        return self.name == _LOCALHOST if address is None else address.is_loopback


@dataclass(frozen=True, slots=True)
class Admission:
    """Who is answered on one port.

    Attributes:
        listened: The address that is listened on, an IPv6 address without brackets.
        names: Host names that lead here, as `host_name` gives them.
        origins: Origins of other pages, in lower case; `ANY_ORIGIN` and `LOOPBACK_ORIGINS` stand
            for several.
    """

    listened: str
    names: frozenset[str] = field(default=frozenset())
    origins: frozenset[str] = field(default=frozenset())

    def host(self, sent: Sequence[str], *, is_required: bool) -> Host | None:
        """Give the host that a request names, or None if it names none and need not.

        Args:
            sent: Every `Host` header of the request.
            is_required: Whether there has to be one, as in HTTP/1.1.

        Raises:
            InvalidRequestError: It is malformed, or there are several.
            ForbiddenError: Nobody has said that it leads here.
        """
        if not sent and not is_required:
            return None
        host = parse_host(sent[0]) if len(sent) == 1 else None
        if host is None:
            raise InvalidRequestError(
                "A request has one Host header, with a name or an address and perhaps a port.",
                target="Host",
            )
        if not self._leads_here(host):
            raise ForbiddenError(
                f"The host {host.name} is not known here."
                f" If it is meant, start the emulator with --host-name {host.name}."
            )
        return host

    def check_origin(self, origin: str, host: Host | None) -> None:
        """Refuse what comes from a page that may not ask.

        Args:
            origin: The `Origin` header; what is no page has none.
            host: The host that the request names.

        Raises:
            ForbiddenError: The page is neither the host's own nor one of those that are allowed.
        """
        if self.is_listed(origin) or _is_of(origin, host):
            return
        if not self.origins:
            raise ForbiddenError("Requests of other pages are not answered here.")
        named = origin if _host_of(origin) else "ORIGIN"
        raise ForbiddenError(
            "Web pages of this origin may not connect."
            f" If they are meant to, start the emulator with --allowed-origin {named}."
        )

    def is_listed(self, origin: str) -> bool:
        """Tell whether other pages of an origin may ask, and read what they are answered."""
        if ANY_ORIGIN in self.origins or origin.lower() in self.origins:
            return True
        host = _host_of(origin)
        return LOOPBACK_ORIGINS in self.origins and host is not None and host.is_loopback

    def _leads_here(self, host: Host) -> bool:
        if host.is_loopback or host.name in self.names:
            return True
        address, listened = _address(host.name), _address(self.listened)
        if address is None:
            return host.name == self.listened.lower()
        # An address cannot be made to lead elsewhere, as a name can.
        listens_on_all = not self.listened or (listened is not None and listened.is_unspecified)
        return listens_on_all or address == listened


# Each request asks for it, nearly always with the same few names.
@lru_cache(maxsize=64)
def parse_host(text: str) -> Host | None:
    """Read a `Host` header, or the part of an origin that looks like one; None if it is none.

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
        raise ValueError(f"{text!r} is no host name: write it without scheme and port")
    return host.name


def _host_of(origin: str) -> Host | None:
    """Give the host of a web page's origin, or None if it has none, as `null`."""
    scheme, _, rest = origin.partition("://")
    return parse_host(rest) if scheme.lower() in _WEB else None


def _is_of(origin: str, host: Host | None) -> bool:
    # The scheme may differ: TLS may end before the emulator.
    return host is not None and _host_of(origin) == host


@lru_cache(maxsize=64)  # as above
def _address(name: str) -> _Address | None:
    try:
        found = ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
