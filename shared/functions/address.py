"""What the address of a request says, as the Functions host passes it on.

Sources: GrpcMessageConversionExtensions of Azure/azure-functions-host for URL, query and route
values; PathString and QueryCollection of ASP.NET Core for what is decoded, and that the case of a
parameter's name does not count.
"""

import re
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

import azure.functions as func

from .problems import ProblemError

__all__ = ["has_slash", "may_stand_for", "query_pairs", "requested_hub"]

_HUB: Final = "hub"
_SLASH: Final = re.compile("%2f", re.IGNORECASE)


def query_pairs(req: func.HttpRequest) -> list[tuple[str, str]]:
    """Return names and values of the query in their order.

    The request's own `params` lack what has no value, and join the values of one name by commas.
    """
    query = req.url.partition("?")[2]
    return parse_qsl(query, keep_blank_values=True)


def requested_hub(req: func.HttpRequest) -> str | None:
    """Return the hub that a request names in its path or its query, or `None` if it names none.

    Raises:
        ProblemError: 400, it names different ones.
    """
    in_path: str | None = req.route_params.get(_HUB)
    query = req.url.partition("?")[2].lower()
    # Most clients send another parameter only. Each negotiation asks, and reading it takes longer.
    if _HUB not in query and "%" not in query:
        return in_path
    named = [value for name, value in query_pairs(req) if name.lower() == _HUB]
    if in_path is not None:
        named.append(in_path)
    if len({hub.lower() for hub in named}) > 1:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "hub has different values in one request.")
    return named[0] if named else None


def has_slash(route_value: str) -> bool:
    """Tell whether a route's value has an encoded slash, so that it may stand for two names.

    The host leaves an encoded slash as it came and decodes the rest: `a%2Fb` comes from the name
    `a/b`, written `a%2Fb`, and from the name `a%2Fb`, written `a%252Fb`.
    """
    return _SLASH.search(route_value) is not None


def may_stand_for(route_value: str, name: str) -> bool:
    """Tell whether a route's value comes from a name."""
    return _SLASH.sub("/", route_value) == _SLASH.sub("/", name)
