"""What the environment says of the way to a service: proxies and certificates.

It is read as requests reads it, for HTTP and for WebSockets. What only this machine reaches is
asked without a proxy.
"""

from typing import NamedTuple

import requests

from ..settings.endpoint import passes_proxies_by

__all__ = ["Surroundings", "surroundings_of"]


class Surroundings(NamedTuple):
    """What a connection to a service goes by.

    Args:
        proxies: Addresses of proxies by what they are for, as requests has them.
        verify: Path of the certificates of authorities that are trusted; `True` for those of
            requests.
    """

    proxies: dict[str, str]
    verify: bool | str


def surroundings_of(origin: str) -> Surroundings:
    """Return what the environment says of a service.

    Args:
        origin: Scheme and host of the service.
    """
    with requests.Session() as session:
        found = session.merge_environment_settings(origin, {}, None, None, None)
    proxies = {} if passes_proxies_by(origin) else found["proxies"]
    return Surroundings(proxies, found["verify"])
