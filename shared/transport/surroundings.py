"""What the environment says of the way to a service: proxies and certificates.

It is read as requests reads it, for HTTP and for WebSockets. What only this machine reaches is
asked without a proxy.
"""

import os
import ssl
from functools import cache
from typing import NamedTuple

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from ..settings.endpoint import passes_proxies_by

__all__ = ["Surroundings", "surroundings_of", "trusting"]


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


@cache
def trusting(verify: bool | str) -> ssl.SSLContext:
    """Return what a WebSocket trusts.

    Args:
        verify: As of `Surroundings`.
    """
    path = verify if isinstance(verify, str) else DEFAULT_CA_BUNDLE_PATH
    is_folder = os.path.isdir(path)  # noqa: PTH112  text that goes on as it is
    return ssl.create_default_context(
        cafile=None if is_folder else path, capath=path if is_folder else None
    )
