"""A real HTTP server on a free port that answers from a script, for faults nobody else makes."""

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    client_port: int


@dataclass
class ScriptedService:
    url: str
    received: list[Received]


HANG_UP = Reply(0)
"""Closes the connection without an answer."""


@contextmanager
def scripted_service(
    answer: Callable[[Received], Reply], tls: ssl.SSLContext | None = None
) -> Iterator[ScriptedService]:
    """Serve until the end of the block; `answer` is called on the server's threads."""
    received: list[Received] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one write for head and body, which the client's kernel acknowledges at once

        def handle(self) -> None:
            # A client that has read enough is gone.
            with contextlib.suppress(ConnectionError):
                super().handle()

        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            client_port: int = self.client_address[1]
            request = Received(self.command, self.path, dict(self.headers), body, client_port)
            received.append(request)
            reply = answer(request)
            if reply is HANG_UP:
                self.close_connection = True
                return
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        # The library's names.
        do_GET = do_POST = do_PUT = do_DELETE = do_QUERY = respond  # noqa: N815
        do_HEAD = do_CONNECT = respond  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        scheme = "http" if tls is None else "https"
        yield ScriptedService(f"{scheme}://127.0.0.1:{server.server_port}", received)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
