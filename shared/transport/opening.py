"""Opens connections to a service: directly or by a proxy, with TLS or without.

requests and urllib3 do that, by the proxies and certificates that the environment has. What only
this machine reaches is asked without a proxy. Then the socket is ours: by their way a message takes
a processor several times as long as the message itself does.
"""

import socket
from collections.abc import Mapping
from typing import Final

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, Timeout
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProxyError

from .flow import NoAnswerError
from .http1 import split_url
from .surroundings import surroundings_of

__all__ = ["Route", "Routes"]

_POOLS: Final = 32
"""Most endpoints whose ways requests keeps."""


class Route:
    """The way to a service.

    Args:
        host: What requests call the service.
        pool: Makes connections to it, or to the proxy before it.
        through: What the proxy wants to know with each request that it is to pass on; `None` where
            requests go to the service itself.
    """

    def __init__(
        self, host: str, pool: HTTPConnectionPool, through: Mapping[str, str] | None
    ) -> None:
        self.host = host
        self.through = through
        self._pool = pool

    @property
    def only_blocks(self) -> bool:
        """Whether its sockets cannot be watched by an event loop: TLS within that of a proxy."""
        proxy = self._pool.proxy
        return proxy is not None and proxy.scheme == self._pool.scheme == "https"

    def open(self, timeout: float) -> socket.socket:
        """Connect, blocking.

        Args:
            timeout: Seconds until the attempt is given up.

        Raises:
            NoAnswerError: There is no connection.
        """
        try:
            # It is `_Opening` that gets this request.
            self._pool.urlopen(
                "GET", "/", timeout=Timeout(connect=timeout), retries=False, redirect=False
            )
        except _OpenedError as opened:
            return opened.sock
        except (requests.RequestException, HTTPError) as error:
            raise _no_answer(error) from error
        raise AssertionError  # urllib3 has no connection of its own


class Routes:
    """The ways to services, each found once.

    Args:
        pool_size: Most connections that are opened at a time without a word in the log.
    """

    def __init__(self, pool_size: int) -> None:
        self._adapter = HTTPAdapter(pool_connections=_POOLS, pool_maxsize=pool_size)
        self._found: dict[str, Route] = {}

    def find(self, url: str) -> tuple[Route, str]:
        """Return the way to a service, and what a request's first line names.

        Args:
            url: The request's URL.

        Raises:
            NoAnswerError: It names no host.
        """
        try:
            origin, target = split_url(url)
            route = self._found.get(origin)
            if route is None:
                route = self._found[origin] = self._look_for(origin)
        except (requests.RequestException, HTTPError) as error:
            raise _no_answer(error) from error
        return route, target if route.through is None else origin + target

    def _look_for(self, origin: str) -> Route:
        anything = requests.Request("GET", origin).prepare()
        surroundings = surroundings_of(origin)
        pool = self._adapter.get_connection_with_tls_context(
            anything, surroundings.verify, surroundings.proxies, None
        )
        # A pool of its own for each origin and proxy, so that nobody else's connections change.
        if not issubclass(pool.ConnectionCls, _Opening):
            pool.ConnectionCls = type("Opening", (_Opening, pool.ConnectionCls), {})
        passes_on = self._adapter.request_url(anything, surroundings.proxies) != "/"
        host = origin.partition("://")[2].rpartition("@")[2]
        return Route(host, pool, pool.proxy_headers if passes_on else None)


class _OpenedError(Exception):
    """Hands on a socket that is connected."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self.sock = sock


class _Opening(HTTPConnection):
    """A connection of urllib3's that gives its socket away, where it would send a request."""

    def request(self, *_: object, **__: object) -> None:
        if self.sock is None:
            self.connect()
        sock, self.sock = self.sock, None
        raise _OpenedError(sock)


def _no_answer(error: Exception) -> NoAnswerError:
    """Name a fault without the URL, whose query may grow long."""
    cause: BaseException = error
    while cause.__context__ is not None:
        cause = cause.__context__
    return NoAnswerError(f"{type(error).__name__}: {cause}", delivered=_may_be_delivered(error))


def _may_be_delivered(error: Exception) -> bool:
    """Tell whether to take a request for one that the service may have seen.

    None has been sent. But what may pass without doing anything is only that no connection came
    about, and not that one is refused by TLS.
    """
    if isinstance(error, ProxyError):
        return _may_be_delivered(error.original_error)
    never_sent = (NewConnectionError, ConnectTimeoutError, requests.exceptions.InvalidURL)
    return not isinstance(error, never_sent)
