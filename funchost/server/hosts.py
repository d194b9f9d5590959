"""What a `Host` header or the origin of a web page names."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple

__all__ = ["Host", "address_of", "host_name", "host_of", "parse_host"]

_HOST: Final = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]*))?")
_SCHEMES: Final = frozenset({"http", "https"})
_LOCALHOST: Final = "localhost"


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
        address = address_of(self.name)
        return self.name == _LOCALHOST if address is None else address.is_loopback


def parse_host(text: str) -> Host | None:
    """Read a `Host` header, or the part of an origin that looks like one; `None` if it is none.

    Source: RFC 3986, section 3.2, without what names of this machine do not have: user
    information, escapes, and characters that DNS or containers do not know.
    """
    match = _HOST.fullmatch(text)
    if match is None:
        return None
    name = match["name"].lower().removesuffix(".")
    if not name or (name.startswith("[") and address_of(name) is None):
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


def host_of(origin: str) -> Host | None:
    """Return the host of a web page's origin, or `None` if it has none, as `null`."""
    scheme, _, rest = origin.partition("://")
    return parse_host(rest) if scheme.lower() in _SCHEMES else None


def address_of(name: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a name is in digits, with brackets or without; `None` for others."""
    try:
        found = ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
