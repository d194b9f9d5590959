"""Sends HTTP requests, blocking, over connections that are kept open.

Nothing but the Entra token says who is asking: there are no cookies, and no .netrc file is read.
"""

import math
import socket
import ssl
import time
from collections import defaultdict, deque
from typing import Final, NamedTuple

from urllib3.util import wait_for_read

from .flow import NoAnswerError, Request, Response
from .http1 import AnswerReader, BadAnswerError, request_bytes
from .opening import Route, Routes

__all__ = ["LARGEST_READ", "Timeouts", "Transport", "broken", "is_silent"]

LARGEST_READ: Final = 2**16
"""Most bytes that are taken from a socket at once."""


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


class Prepared(NamedTuple):
    """What sending a request takes.

    Args:
        route: The way to its service.
        data: Its bytes.
        reader: Reads the answer.
        silence: Seconds of silence until the answer is given up.
    """

    route: Route
    data: bytes
    reader: AnswerReader
    silence: float


class Transport:
    """Sends requests. Threads may share it.

    Args:
        timeouts: How long is waited.
        pool_size: Most connections kept open to a service.
        largest_answer: Most bytes of an answer, as they come; by default any number.
    """

    def __init__(
        self,
        timeouts: Timeouts = _DEFAULT,
        *,
        pool_size: int = 32,
        largest_answer: float = math.inf,
    ) -> None:
        self.timeouts = timeouts
        self._routes = Routes(pool_size)
        self._pool_size = pool_size
        self._largest_answer = largest_answer
        self._kept: defaultdict[Route, deque[socket.socket]] = defaultdict(deque)

    def send(self, request: Request) -> Response:
        """Send one request and return the answer, whatever its status.

        Raises:
            NoAnswerError: The service could not be reached or did not answer in time.
        """
        return self.exchange(self.prepared(request))

    def exchange(self, prepared: Prepared) -> Response:
        """Send a request that is prepared; otherwise as `send`."""
        route, data, reader, silence = prepared
        sock = self._take(route) or route.open(self.timeouts.connect)
        is_kept = False
        try:
            is_sent = _send(sock, data, silence)
            answer = self._receive(sock, reader, silence)
            is_kept = is_sent and not reader.is_last and self._keep(route, sock)
        except (OSError, BadAnswerError) as error:
            raise broken(error) from error
        finally:
            if not is_kept:
                sock.close()
        return answer

    def prepared(self, request: Request) -> Prepared:
        """Return what sending a request takes.

        Raises:
            NoAnswerError: It names no host.
        """
        route, target = self._routes.find(request.url)
        data = request_bytes(request, target, route.host, route.through or {})
        reader = AnswerReader(request.method, self._largest_answer)
        return Prepared(route, data, reader, request.read_timeout or self.timeouts.read)

    def renew(self) -> None:
        """Leave the kept connections to whoever has them too: a parent process."""
        for kept in list(self._kept.values()):
            while kept:
                kept.pop().close()

    def close(self) -> None:
        """Close the kept connections, and keep no more."""
        self._pool_size = 0
        self.renew()

    def _take(self, route: Route) -> socket.socket | None:
        """Return a kept connection that the service has not closed meanwhile."""
        kept = self._kept[route]
        while kept:
            try:
                sock = kept.pop()
            except IndexError:
                # Another thread has taken it.
                break
            if is_silent(sock):
                return sock
            sock.close()
        return None

    def _keep(self, route: Route, sock: socket.socket) -> bool:
        kept = self._kept[route]
        if len(kept) >= self._pool_size:
            return False
        kept.append(sock)
        return True

    def _receive(self, sock: socket.socket, reader: AnswerReader, silence: float) -> Response:
        deadline = time.monotonic() + self.timeouts.total
        while True:
            try:
                received = sock.recv(LARGEST_READ)
            except TimeoutError:
                _check_time(deadline)
                raise
            if not received:
                return reader.end()
            answer = reader.feed(received)
            if answer is not None:
                return answer
            sock.settimeout(min(silence, _check_time(deadline)))


def _check_time(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the answer takes too long")
    return left


def is_silent(sock: socket.socket) -> bool:
    """Tell whether nothing comes on a connection between two requests, its end included."""
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return False
    return not wait_for_read(sock, timeout=0)


def broken(error: Exception) -> NoAnswerError:
    """Return the error of a request that has been sent, and whose connection fails."""
    return NoAnswerError(f"{type(error).__name__}: {error}", delivered=True)


def _send(sock: socket.socket, data: bytes, silence: float) -> bool:
    """Send a request; tell whether the service has taken all of it, as it need not to answer."""
    if sock.gettimeout() != silence:
        sock.settimeout(silence)
    try:
        sock.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True
