"""The request for a connection, as the app's own rules see it.

Sources: requests as Azure Functions behind App Service got them, with `X-Forwarded-For` of a client
and of Front Door (sergiodxa/remix-utils, pull request 496): App Service adds the address and the
port of who called it as the last entry, and lets what came before stand.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import azure.functions as func

from ..address import query_pairs

__all__ = ["NegotiateRequest", "read_request"]

_FORWARDED: Final = "X-Forwarded-For"


@dataclass(frozen=True, slots=True, kw_only=True)
class NegotiateRequest:
    """A request for a connection, or to renew its sign-in.

    Anybody can write query and headers, so they prove nothing of a caller.

    Args:
        query: Values of the query parameters, by their names.
        headers: Headers, looked up in any case.
        address: The IP address that App Service was called from, or `None` where the app does not
            run there: the client's, or that of what stands before App Service.
    """

    query: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    address: str | None = None


def read_request(req: func.HttpRequest, *, behind_app_service: bool) -> NegotiateRequest:
    """Return what a policy sees of a request.

    Args:
        req: The request.
        behind_app_service: Whether the front end of App Service has added who called it.
    """
    query: dict[str, tuple[str, ...]] = {}
    for name, value in query_pairs(req):
        query[name] = (*query.get(name, ()), value)
    address = _address(req.headers) if behind_app_service else None
    return NegotiateRequest(query=query, headers=req.headers, address=address)


def _address(headers: Mapping[str, str]) -> str | None:
    """Return the address that the front end has added, in its usual form."""
    # The last: a caller may send a header of its own, and what it says comes before.
    last = headers.get(_FORWARDED, "").rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(_without_port(last)))
    except ValueError:
        return None


def _without_port(host: str) -> str:
    """Return the address of `203.0.113.7:50432`, `[2001:db8::1]:443` or either without a port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") == 1 else host
