"""The one place that sends HTTP: the pooled connections of requests.

A `requests.Session` would work out proxies, cookies and credentials of a .netrc file anew for each
request, which takes a third of it. Here proxies and certificates are worked out once for each
service, and nothing but the Entra token says who is asking.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from shared.flow import NoAnswerError, Request, Response

__all__ = ["Timeouts", "Transport"]

_POOLS: Final = 32
"""Most endpoints to which connections are kept open."""

_HEADERS: Final = dict(requests.utils.default_headers())


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long is waited for the service.

    Args:
        connect: Seconds until a connection attempt is given up.
        read: Seconds of silence until an answer is given up.
        key: Seconds that a caller waits for the first access key.
    """

    connect: float = 4.0
    read: float = 15.0
    key: float = 10.0


_DEFAULT: Final = Timeouts()


class Transport:
    """Sends requests over connections that are kept open.

    Args:
        timeouts: How long is waited.
        pool_size: Most connections kept open to the service.
    """

    def __init__(self, timeouts: Timeouts = _DEFAULT, *, pool_size: int = 32) -> None:
        self._timeouts = timeouts
        self._pool_size = pool_size
        self._adapter = self._open()
        self._environment = functools.lru_cache(_POOLS)(_environment)

    def send(self, request: Request) -> Response:
        """Send one request and return the answer, whatever its status.

        Raises:
            NoAnswerError: The service could not be reached or did not answer in time.
        """
        try:
            answer = self._adapter.send(
                _prepared(request),
                timeout=(self._timeouts.connect, request.read_timeout or self._timeouts.read),
                **self._environment(_origin(request.url)),
            )
            return Response(answer.status_code, answer.headers, answer.content)
        except requests.ConnectTimeout as error:
            raise NoAnswerError(_reason(error), delivered=False) from error
        except requests.ConnectionError as error:
            raise NoAnswerError(_reason(error), delivered=not _refused(error)) from error
        except (requests.RequestException, HTTPError) as error:
            raise NoAnswerError(_reason(error), delivered=True) from error

    def renew(self) -> None:
        """Leave the kept connections to whoever has them too: a parent process."""
        self._adapter = self._open()

    def close(self) -> None:
        """Close the kept connections."""
        self._adapter.close()

    def _open(self) -> HTTPAdapter:
        # Repetition is decided in shared.retry, where it is known what may be repeated.
        return HTTPAdapter(pool_connections=_POOLS, pool_maxsize=self._pool_size, max_retries=0)


def _prepared(request: Request) -> requests.PreparedRequest:
    prepared = requests.PreparedRequest()
    headers = {**_HEADERS, **request.headers}
    prepared.prepare(request.method, request.url, headers, data=request.body)
    return prepared


def _origin(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/"


def _environment(origin: str) -> Mapping[str, Any]:
    """Return proxies and certificates as the process's environment has them."""
    with requests.Session() as session:
        return session.merge_environment_settings(origin, {}, None, None, None)


def _refused(error: requests.ConnectionError) -> bool:
    """Tell whether no connection came about, so that the service has seen nothing."""
    reason = error.args[0] if error.args else None
    return isinstance(reason, MaxRetryError) and isinstance(reason.reason, NewConnectionError)


def _reason(error: Exception) -> str:
    """Name the fault without the URL, whose query may grow long."""
    cause: BaseException = error
    while cause.__context__ is not None:
        cause = cause.__context__
    return f"{type(error).__name__}: {cause}"
