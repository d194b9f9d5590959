"""Has connections of urllib3 send a request in one write.

Python's `http.client` writes head and body one after the other (python/cpython#77248), so a message
would be two packets, two TLS records and two calls of the kernel, a tenth of what it costs.
"""

from typing import Any

from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

__all__ = ["coalesce_writes"]


class _CoalescingConnection(HTTPConnection):
    _held: list[bytes] | None = None

    def request(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  the method's own
        held = self._held = []
        try:
            super().request(*args, **options)
        finally:
            self._held = None
        super().send(b"".join(held))

    def send(self, data: Any) -> None:  # noqa: ANN401  the method's own
        # What sets up a way through a proxy is written as it comes.
        if self._held is None:
            super().send(data)
        else:
            self._held.append(data)


class _CoalescingTLSConnection(_CoalescingConnection, HTTPSConnection):
    pass


def coalesce_writes(pool: HTTPConnectionPool) -> HTTPConnectionPool:
    """Have the connections that a pool will open send each request in one write.

    Only where they are urllib3's own: those through a SOCKS proxy stay as they are.
    """
    if pool.ConnectionCls is HTTPConnection:
        pool.ConnectionCls = _CoalescingConnection
    elif pool.ConnectionCls is HTTPSConnection:
        pool.ConnectionCls = _CoalescingTLSConnection
    return pool
