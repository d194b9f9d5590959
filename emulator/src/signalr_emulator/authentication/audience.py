"""The audience of a REST call's token: the URL of the call.

Sources: REST API reference (the URL without query and trailing slash); Azure SignalR .NET SDK (the
URL with `application` and `api-version`, made from the endpoint's host without its port).
"""

from collections.abc import Set as AbstractSet
from urllib.parse import parse_qsl, unquote, urlsplit

__all__ = ["is_for_url"]


def is_for_url(audience: str, *, path: str, query: str, origins: AbstractSet[str]) -> bool:
    """Tell whether an audience names a call.

    Args:
        audience: One value of `aud`.
        path: Path of the call as it was sent.
        query: Query string of the call as it was sent; it may have more than the audience.
        origins: What the service is called, as `{scheme}://{host}` or with a port, in lower case.
    """
    try:
        parts = urlsplit(audience)
    except ValueError:
        return False
    if f"{parts.scheme}://{parts.netloc}".lower() not in origins:
        return False
    if _plain(parts.path) != _plain(path):
        return False
    sent = _parameters(query)
    return all(parameter in sent for parameter in _parameters(parts.query))


def _plain(path: str) -> str:
    # SDKs differ in what they escape and in the case of a hub's name.
    return unquote(path).rstrip("/").lower()


def _parameters(query: str) -> list[tuple[str, str]]:
    # The parser refuses a query of very many parameters; none of ours has that many.
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        return []
    return [(name.lower(), value.lower()) for name, value in pairs]
