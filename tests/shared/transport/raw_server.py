"""A server whose script has the socket itself, for answers that no HTTP server would give."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

type Script = Callable[[socket.socket], None]

ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"


class RawServer:
    """Gives each connection to a script, one after the other.

    Args:
        listening: Where connections come from.
        script: Is given each.
    """

    def __init__(self, listening: socket.socket, script: Script) -> None:
        self.connections = 0
        self.port: int = listening.getsockname()[1]
        self._listening = listening
        self._script = script

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                with connection, contextlib.suppress(OSError):
                    self._script(connection)


@contextlib.contextmanager
def raw_server(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Serve until the end of the block, or until the script is done with its last connection."""
    with socket.create_server(("127.0.0.1", 0)) as plain:
        listening = plain if tls is None else tls.wrap_socket(plain, server_side=True)
        with listening:
            server = RawServer(listening, script)
            thread = threading.Thread(target=server.serve, daemon=True)
            thread.start()
            yield server
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)


def read_request(connection: socket.socket) -> bytes:
    """Read a request with its body; nothing at the end of the connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        if not (piece := connection.recv(2**16)):
            return b""
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < length and (piece := connection.recv(2**16)):
        body += piece
    return head + b"\r\n\r\n" + body


def answering(*answers: bytes) -> Script:
    """Return a script that gives these answers to the requests of a connection, and closes it."""

    def script(connection: socket.socket) -> None:
        for answer in answers:
            if not read_request(connection):
                return
            connection.sendall(answer)

    return script
