"""Where a request came in: what the Host header says could be anything."""

from typing import NamedTuple

from aiohttp import web

__all__ = ["LocalAddress", "local_address"]


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
