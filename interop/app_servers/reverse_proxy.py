"""Stands in front of app servers and service, as a gateway does: one host name for both.

Who breaks the connection to it breaks the one behind it too, and the other way round, so that what
cuts the network in front of an app server cuts its clients off the service as well.

Source: the page *Secure and configure Azure SignalR Service with Azure Application Gateway*: paths
under `/client` go to the service, all others to the app, whose negotiations name the gateway.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple, Self
from urllib.parse import urlsplit

import aiohttp

__all__ = ["reverse_proxy"]

_HOST: Final = "127.0.0.1"
_AT_ONCE: Final = struct.pack("ii", 1, 0)
"""How long a connection that is closed waits for what is on its way: not at all."""

_END: Final = b"\r\n\r\n"
_CHUNK: Final = 65536
_SERVICE: Final = "/client"
_NEGOTIATE: Final = "/negotiate"
_PER_CONNECTION: Final = frozenset(("host", "connection", "content-length"))
_UNREACHABLE: Final = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class _Request(NamedTuple):
    """A request's line and headers.

    Attributes:
        method: HTTP method.
        target: Path and query.
        headers: Names and values.
    """

    method: str
    target: str
    headers: list[tuple[str, str]]

    @classmethod
    def of(cls, head: bytes) -> Self:
        line, *fields = head.removesuffix(_END).decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ")
        pairs = (each.partition(":") for each in fields)
        return cls(method, target, [(name, value.strip()) for name, _, value in pairs])

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def header(self, name: str) -> str:
        return next((value for each, value in self.headers if each.lower() == name), "")

    def to(self, url: str) -> bytes:
        """Return it for another server, which closes the connection after its answer."""
        fields = [(name, value) for name, value in self.headers if name.lower() != "host"]
        if not self.header("upgrade"):
            fields = [each for each in fields if each[0].lower() != "connection"]
            fields.append(("Connection", "close"))
        fields.append(("Host", urlsplit(url).netloc))
        lines = (f"{name}: {value}\r\n" for name, value in fields)
        return f"{self.method} {self.target} HTTP/1.1\r\n{''.join(lines)}\r\n".encode("latin-1")


class _Connection(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class _Proxy:
    """Passes requests on.

    Args:
        service_url: Where the service is.
        app_urls: Where the app servers are, which get the requests in turn.
    """

    def __init__(self, service_url: str, app_urls: tuple[str, ...]) -> None:
        self._service_url = service_url
        self._app_urls = deque(app_urls)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on the one request of a connection, and what follows it."""
        client = _Connection(reader, writer)
        try:
            await self._pass_on(client)
        except (OSError, asyncio.IncompleteReadError, aiohttp.ClientError):
            writer.write(_UNREACHABLE)
            writer.close()

    async def _pass_on(self, client: _Connection) -> None:
        request = _Request.of(await client.reader.readuntil(_END))
        url, server = await self._connect(request)
        if url != self._service_url and request.path.endswith(_NEGOTIATE):
            server.writer.close()
            await self._negotiate(client, request, url)
            return
        server.writer.write(request.to(url))
        await _join(client, server)

    async def _connect(self, request: _Request) -> tuple[str, _Connection]:
        """Return the first server that listens and a connection to it."""
        if request.path.startswith(_SERVICE):
            return self._service_url, await _connected(self._service_url)
        for _ in range(len(self._app_urls) - 1):
            self._app_urls.rotate()
            with contextlib.suppress(ConnectionError):
                return self._app_urls[0], await _connected(self._app_urls[0])
        self._app_urls.rotate()
        return self._app_urls[0], await _connected(self._app_urls[0])

    async def _negotiate(self, client: _Connection, request: _Request, url: str) -> None:
        """Have an app server negotiate, and its answer name the host that its client knows."""
        body = await client.reader.readexactly(int(request.header("content-length") or 0))
        headers = [each for each in request.headers if each[0].lower() not in _PER_CONNECTION]
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(
                request.method, f"{url}{request.target}", data=body, headers=headers
            ) as answer,
        ):
            service, own = urlsplit(self._service_url).netloc, request.header("host")
            said = (await answer.read()).replace(f"//{service}/".encode(), f"//{own}/".encode())
            lines = (
                f"HTTP/1.1 {answer.status} {answer.reason}",
                f"Content-Type: {answer.headers.get('Content-Type', 'text/plain')}",
                f"Content-Length: {len(said)}",
                "Connection: close",
            )
            client.writer.write("\r\n".join(lines).encode() + _END + said)
            client.writer.close()


async def _connected(url: str) -> _Connection:
    parts = urlsplit(url)
    return _Connection(*await asyncio.open_connection(parts.hostname, parts.port))


async def _join(client: _Connection, server: _Connection) -> None:
    """Pass bytes both ways until either side ends, and end the other one as it did."""
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_pass_on(client.reader, server.writer))
            both.create_task(_pass_on(server.reader, client.writer))
    except* ConnectionError:
        _abort(client.writer)
        _abort(server.writer)
    finally:
        client.writer.close()
        server.writer.close()


def _abort(writer: asyncio.StreamWriter) -> None:
    """Reset a connection, if it is still there."""
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    writer.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    writer.close()


@contextlib.contextmanager
def reverse_proxy(service_url: str, *app_urls: str) -> Iterator[str]:
    """Listen until the end of the block.

    Args:
        service_url: Where the service is.
        app_urls: Where the app servers are. Each request that is not for the service goes to the
            next of them that listens.

    Yields:
        Where the proxy is.
    """
    proxy = _Proxy(service_url, app_urls)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(proxy.serve, _HOST, 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{_HOST}:{server.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(_ended(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _ended(server: asyncio.Server) -> None:
    """Cut everything off."""
    server.close()
    server.abort_clients()
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
