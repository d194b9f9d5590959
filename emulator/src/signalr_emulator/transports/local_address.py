"""Where a request came in: what the Host header says could be anything."""

from typing import NamedTuple

from aiohttp import hdrs, web

__all__ = ["LocalAddress", "called_ports", "local_address"]


class LocalAddress(NamedTuple):
    """An address that is listened on."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def local_address(request: web.Request) -> LocalAddress | None:
    """Give the address on which a request came in, or None if its connection is gone."""
    found = request.transport and request.transport.get_extra_info("sockname")
    return LocalAddress(str(found[0]), int(found[1])) if found else None


def called_ports(request: web.Request) -> frozenset[str]:
    """Give the ports that may stand in what a request calls the service.

    They are the one that it came in on, and the one that it names: of a container another port may
    be published than the one that is listened on.
    """
    address = local_address(request)
    host, _, named = request.headers.get(hdrs.HOST, "").rpartition(":")
    ports = (named if host else "", "" if address is None else str(address.port))
    return frozenset(port for port in ports if port.isdecimal())
