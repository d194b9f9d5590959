"""How a request arrives, seen by servers that read no more than once."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from shared.transport.flow import Request
from shared.transport.http import Transport

_ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"


class Server:
    """Reads once for each request, and answers if there is anything left to answer."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self.port: int = listening.getsockname()[1]
        self.reads: list[bytes] = []

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self._listening.accept()
            with connection:
                while read := connection.recv(2**16):
                    self.reads.append(read)
                    if not read.startswith(b"body"):
                        connection.sendall(_ANSWER)


@contextlib.contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as plain:
        listening = plain if tls is None else tls.wrap_socket(plain, server_side=True)
        with listening:
            server = Server(listening)
            thread = threading.Thread(target=server.serve)
            thread.start()
            yield server
        thread.join()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    return authority


def send_two(url: str) -> None:
    transport = Transport()
    for _ in range(2):
        request = Request("POST", f"{url}/api", {"Authorization": "Bearer ours"}, b"body")
        assert transport.send(request).status == 202
    transport.close()


def test_head_and_body_arrive_together() -> None:
    with serving() as server:
        send_two(f"http://127.0.0.1:{server.port}")
    assert [each.endswith(b"\r\n\r\nbody") for each in server.reads] == [True, True]


def test_head_and_body_are_one_record_of_tls(authority: trustme.CA) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with serving(tls) as server:
        send_two(f"https://127.0.0.1:{server.port}")
    assert [each.endswith(b"\r\n\r\nbody") for each in server.reads] == [True, True]
