"""The one place that sends HTTP: the connection pools below requests.

requests works out where and how to connect: proxies and certificates as the environment has them,
once for each service. What only this machine reaches is asked without a proxy. For each request
requests would make a prepared request and a response of its own, which takes a third of the time,
so requests go straight to its pools. Nothing but the Entra token says who is asking: there are no
cookies, and no .netrc file is read.
"""

import functools
import math
from typing import Final, NamedTuple

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProxyError

from .connections import improve_connections
from .flow import NoAnswerError, Request, Response
from .surroundings import surroundings_of

__all__ = ["Timeouts", "Transport"]

_POOLS: Final = 32
"""Most endpoints to which connections are kept open."""

_HEADERS: Final = dict(requests.utils.default_headers())


class Timeouts(NamedTuple):
    """How long is waited for the service.

    Args:
        connect: Seconds until a connection attempt is given up.
        read: Seconds of silence until an answer is given up.
        key: Seconds that a caller waits for the first access key.
        total: Seconds until an answer is given up that keeps coming in small pieces.
    """

    connect: float = 4.0
    read: float = 15.0
    key: float = 10.0
    total: float = 30.0


_DEFAULT: Final = Timeouts()


class _Route(NamedTuple):
    """The way to a service.

    Args:
        pool: Connections to it, or to the proxy before it.
        absolute_url: Whether a request names the whole URL, as a proxy of plain HTTP needs it.
    """

    pool: HTTPConnectionPool
    absolute_url: bool


class Transport:
    """Sends requests over connections that are kept open.

    Args:
        timeouts: How long is waited.
        pool_size: Most connections kept open to the service.
        largest_answer: Most bytes of an answer, as they come; by default any number.
    """

    def __init__(
        self,
        timeouts: Timeouts = _DEFAULT,
        *,
        pool_size: int = 32,
        largest_answer: float = math.inf,
    ) -> None:
        self._timeouts = timeouts
        self._pool_size = pool_size
        self._largest_answer = largest_answer
        self.renew()

    def send(self, request: Request) -> Response:
        """Send one request and return the answer, whatever its status.

        Raises:
            NoAnswerError: The service could not be reached or did not answer in time.
        """
        origin, path = _split(request.url)
        try:
            route = self._route(origin)
            answer = route.pool.urlopen(
                request.method,
                request.url if route.absolute_url else path,
                body=request.body,
                headers={**_HEADERS, **request.headers},
                timeout=self._timeout(request),
                # Repetition is decided in the room `rest`, where it is known what may be repeated.
                retries=False,
                redirect=False,
                assert_same_host=False,
            )
        except (requests.RequestException, HTTPError) as error:
            raise NoAnswerError(_reason(error), delivered=_may_be_delivered(error)) from error
        return Response(answer.status, answer.headers, answer.data)

    def renew(self) -> None:
        """Leave the kept connections to whoever has them too: a parent process."""
        self._adapter = HTTPAdapter(pool_connections=_POOLS, pool_maxsize=self._pool_size)
        self._route = functools.lru_cache(_POOLS)(
            functools.partial(
                _find_route, self._adapter, self._timeouts.total, self._largest_answer
            )
        )

    def close(self) -> None:
        """Close the kept connections."""
        self._adapter.close()

    def _timeout(self, request: Request) -> Timeout:
        return Timeout(
            connect=self._timeouts.connect, read=request.read_timeout or self._timeouts.read
        )


def _split(url: str) -> tuple[str, str]:
    """Return the part of a URL that says where it leads, and the rest."""
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    return f"{scheme}://{host}", f"/{path}"


def _find_route(
    adapter: HTTPAdapter, longest_answer: float, largest_answer: float, origin: str
) -> _Route:
    """Ask requests how to get to a service, with the environment's proxies and certificates."""
    anything = requests.Request("GET", origin).prepare()
    surroundings = surroundings_of(origin)
    pool = adapter.get_connection_with_tls_context(
        anything, surroundings.verify, surroundings.proxies, None
    )
    absolute_url = adapter.request_url(anything, surroundings.proxies) != "/"
    improved = improve_connections(
        pool, longest_answer=longest_answer, largest_answer=largest_answer
    )
    return _Route(improved, absolute_url)


def _may_be_delivered(error: Exception) -> bool:
    """Tell whether the service may have seen the request: not where no connection came about."""
    if isinstance(error, ProxyError):
        return _may_be_delivered(error.original_error)
    never_sent = (NewConnectionError, ConnectTimeoutError, requests.exceptions.InvalidURL)
    return not isinstance(error, never_sent)


def _reason(error: Exception) -> str:
    """Name the fault without the URL, whose query may grow long."""
    cause: BaseException = error
    while cause.__context__ is not None:
        cause = cause.__context__
    return f"{type(error).__name__}: {cause}"
